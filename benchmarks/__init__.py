"""Benchmarks: the chain beside the bare work it does; zones, roads and transit beside other libraries and engines.

`make bench` runs `benchmarks.spine`, `benchmarks.crosswalk`, `benchmarks.transit` and `benchmarks.roads`.
"""
