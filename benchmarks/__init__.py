"""Benchmarks: what the chain costs beside the bare work it does, crossing zones and transit beside other libraries.

`make bench` runs `benchmarks.spine`, `benchmarks.crosswalk` and `benchmarks.transit`.
"""
