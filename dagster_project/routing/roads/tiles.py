"""What is made once from an extract and kept: the normalised network, and what each engine builds from it.

Everything is a folder under a cache, named by the extract's sha256 and by whatever else decides its content. A folder
is written aside and renamed when whole, under a lock: an interrupted build leaves nothing that could be taken for a
result, and of several builders at once one builds and the others wait for it.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from dagster_project.routing.roads.extract import normalise, survey

REVISION = 1  # of what `normalise` writes; raise it when that changes
PBF, FACTS = "network.osm.pbf", "network.json"


@dataclass(frozen=True)
class RoadNetwork:
    """A street network, ready for engines to build from.

    Attributes:
        cache_dir: folder that holds what is built from it.
        sha256: of the extract it was made from.
        pbf: the normalised extract.
        highways: ways that carry `highway`.
        vertices: positions along them.
        extent: convex hull of the streets, lon/lat.
    """

    cache_dir: Path
    sha256: str
    pbf: Path
    highways: int
    vertices: int
    extent: shapely.Geometry

    def covers(self, lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which of the points (n, 2) lie within the extent."""
        inside: npt.NDArray[np.bool_] = shapely.intersects_xy(self.extent, lonlat[:, 0], lonlat[:, 1])
        return inside

    def built(self, name: str, build: Callable[[Path], None]) -> Path:
        """The folder `name` of this network, built unless it stands."""
        return build_once(self.cache_dir / f"{self.sha256}-{name}", build)


def network_for(extract_path: Path, sha256: str, cache_dir: Path) -> RoadNetwork:
    """The network of an extract, normalised unless the cache holds it.

    Args:
        extract_path: `.osm.pbf`, `.osm` or GeoJSON street lines, under any name.
        sha256: of its bytes, as the archive knows them.
        cache_dir: folder to keep what is built in; made if needed.

    Raises:
        ExtractRefused: the extract holds no street network.
    """

    def build(folder: Path) -> None:
        normalise(extract_path, folder / PBF)
        found = survey(folder / PBF, extract_path)
        facts = {
            "highways": found.highways,
            "vertices": found.vertices,
            "extent": json.loads(shapely.to_geojson(found.extent)),
        }
        (folder / FACTS).write_text(json.dumps(facts) + "\n", encoding="utf-8")

    folder = build_once(cache_dir / f"{sha256}-network-{REVISION}", build)
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    extent = shapely.from_geojson(json.dumps(facts["extent"]))
    return RoadNetwork(cache_dir, sha256, folder / PBF, facts["highways"], facts["vertices"], extent)


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """The folder, filled by `build` unless it stands already.

    Args:
        folder: where the result belongs.
        build: fills the empty folder it is given; what it raises is passed on, and nothing is kept.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f"{folder.name}.building")
    with _alone(folder.with_name(f"{folder.name}.lock")):
        if folder.is_dir():  # another builder was faster
            return folder
        # Only a builder that was killed leaves this behind: the lock is ours.
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        try:
            build(aside)
            aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock among threads and processes; the system lets go of it when its holder dies."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
