"""provisional"""
from typing import NamedTuple
import numpy as np
class L(NamedTuple):
    indptr: object
    indices: object
    seconds: object
def walking_links(engine, a, b, max_seconds):
    m = engine.matrix(a, b, "marche").seconds
    ok = np.isfinite(m) & (m <= max_seconds)
    r, c = np.nonzero(ok)
    return L(np.concatenate([[0], np.cumsum(ok.sum(axis=1))]), c, np.ceil(m[r, c]).astype(np.int32))
