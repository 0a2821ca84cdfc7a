"""Provenance: what a build was made of."""
