"""Sources: the catalogue, the archive of bytes, fetching, and the readers of each family of files."""
