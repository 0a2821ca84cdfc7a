"""Readers of releases: explain, recompute, verify, prove and compare figures, from a release and the archive alone."""
