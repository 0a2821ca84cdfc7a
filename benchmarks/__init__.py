"""Benchmarks: the chain beside the bare work it does, crossing zones beside other libraries, roads beside their engine.

`make bench` runs `benchmarks.spine`; `python -m benchmarks.crosswalk` and `python -m benchmarks.roads` the others.
"""
