"""Coordinate systems: the one all geometry is computed in, and the way to it from any other."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

TARGET_CRS = "EPSG:2154"
LON_LAT = frozenset({"OGC:CRS84", "EPSG:4326"})  # the same coordinates in files, always written longitude first
Box = tuple[float, float, float, float]  # west, south, east, north in degrees
# Geographic systems of the French territories: Hexagone, Antilles, Guyane, Réunion, Mayotte, Saint-Pierre-et-Miquelon,
# Polynésie, Nouvelle-Calédonie, Wallis-et-Futuna. Their areas of use are where French data may lie.
FRENCH_SYSTEMS = (4171, 5489, 4624, 4627, 4470, 4463, 4687, 4749, 8900)


@cache
def system(name: str) -> CRS:
    """A coordinate system by its authority code."""
    from pyproj import CRS
    from pyproj.network import set_network_enabled  # type: ignore[attr-defined]  # public, missing from its __all__

    set_network_enabled(active=False)  # no grid is fetched: same result everywhere, no third party asked
    return CRS.from_user_input(name)


@cache
def transformer(origin: str, target: str) -> Transformer:
    """From one system to another, x (or longitude) first on both sides."""
    from pyproj import Transformer

    return Transformer.from_crs(system(origin), system(target), always_xy=True)


def area_of_use(name: str) -> Box:
    """Where a system is meant to be used."""
    area = system(name).area_of_use
    if area is None:
        raise RuntimeError(f"this PROJ database gives no area of use for {name}")
    return area.bounds


@cache
def home_areas(name: str) -> tuple[Box, ...]:
    """Where the geometries of a file in this system are expected: its area of use, or France when that is the world."""
    if name in LON_LAT:
        return tuple(area_of_use(f"EPSG:{code}") for code in FRENCH_SYSTEMS)
    return (area_of_use(name),)
