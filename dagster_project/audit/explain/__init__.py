"""How one figure was built, from a release alone."""
