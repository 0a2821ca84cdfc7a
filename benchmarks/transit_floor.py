"""The least a transit search must do: one Connection Scan per departure, nothing shared between departures."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
NEVER = np.int32(2**30)


@numba.njit(cache=True, nogil=True)
def scan_each(
    departure: Ints,
    arrival: Ints,
    from_stop: Ints,
    to_stop: Ints,
    trip: Ints,
    trips: int,
    walk_first: npt.NDArray[np.int64],
    walk_target: Ints,
    walk_seconds: Ints,
    stops: Ints,
    seconds: Ints,
    leaving: Ints,
) -> Ints:
    """Earliest arrival by any means, departures × stops, from stops reached on foot; connections sorted."""
    count = len(walk_first) - 1
    found = np.empty((len(leaving), count), np.int32)
    vehicle = np.empty(count, np.int32)
    aboard = np.empty(trips, np.bool_)
    for d in range(len(leaving)):
        best = found[d]
        best[:] = NEVER
        vehicle[:] = NEVER
        aboard[:] = False
        for i in range(len(stops)):
            best[stops[i]] = min(best[stops[i]], leaving[d] + seconds[i])
        for c in range(np.searchsorted(departure, leaving[d]), len(departure)):
            if not aboard[trip[c]]:
                if best[from_stop[c]] > departure[c]:
                    continue
                aboard[trip[c]] = True
            stop, then = to_stop[c], arrival[c]
            if then < vehicle[stop]:
                vehicle[stop] = then
                best[stop] = min(best[stop], then)
                for w in range(walk_first[stop], walk_first[stop + 1]):
                    best[walk_target[w]] = min(best[walk_target[w]], then + walk_seconds[w])
    return found
