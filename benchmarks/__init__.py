"""Benchmarks: what the chain costs beside the bare work it does, and crossing zones beside other libraries.

`make bench` runs `benchmarks.spine`; `python -m benchmarks.crosswalk` the other.
"""
