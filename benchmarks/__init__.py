"""Benchmarks: what the chain costs beside the bare work it does. `make bench` runs `benchmarks.spine`."""
