"""Benchmarks: the chain beside the bare work it does; zones, roads and transit beside others; a whole region's trips.

`make bench` runs `benchmarks.spine`, `benchmarks.crosswalk`, `benchmarks.transit`, `benchmarks.roads` and
`benchmarks.access`.
"""
