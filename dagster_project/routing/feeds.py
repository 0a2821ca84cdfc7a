"""Which timetables serve a street network, on which day, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from dagster_project.routing.bundles import Bundle
from dagster_project.routing.transit.feed import Feed, FeedRefused, read_feed
from dagster_project.routing.transit.service_days import reference_tuesday, require_valid

if TYPE_CHECKING:
    import shapely

LEAST_STOPS = 2  # a feed with one stop in a network takes nobody anywhere in it
Status = Literal["retenu", "hors_zone", "hors_validite", "refuse"]


@dataclass(frozen=True)
class Verdict:
    """What became of a feed: status, why in French, and the counted problems of its content."""

    bundle: Bundle
    status: Status
    reason: str
    problems: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Service:
    """The feeds that serve a network and the day they are read on; no day when there is none."""

    feeds: tuple[Feed, ...]
    day: date | None
    vintage: str | None
    verdicts: tuple[Verdict, ...]


def service_for(extent: shapely.Geometry, bundles: Sequence[Bundle]) -> Service:
    """Judge every feed for one network.

    The feed with the most stops inside leads: its reference Tuesday is the day of all. A feed that is not valid on that
    day is left out, its dates named: times of two years are never mixed.

    Args:
        extent: of the street network, lon/lat.
        bundles: feeds as received.
    """
    verdicts: list[Verdict] = []
    inside: list[tuple[int, Bundle, Feed]] = []
    for bundle in bundles:
        try:
            feed = read_feed(_source(bundle), name=bundle.name)
        except FeedRefused as refusal:
            verdicts.append(Verdict(bundle, "refuse", str(refusal), ()))
            continue
        stops = _stops_inside(feed, extent)
        if stops < LEAST_STOPS:
            verdicts.append(Verdict(bundle, "hors_zone", f"{stops} arrêt(s) dans le réseau de rues", _problems(feed)))
        else:
            inside.append((stops, bundle, feed))
    inside.sort(key=lambda each: (-each[0], each[1].name))
    kept: list[tuple[Bundle, Feed]] = []
    day = None
    for stops, bundle, feed in inside:
        try:
            if day is None:
                day = reference_tuesday([feed])
            require_valid(feed, day)
        except FeedRefused as refusal:
            verdicts.append(Verdict(bundle, "hors_validite", str(refusal), _problems(feed)))
            continue
        kept.append((bundle, feed))
        reason = f"{stops} arrêts dans le réseau de rues, service du {day:%d/%m/%Y}"
        verdicts.append(Verdict(bundle, "retenu", reason, _problems(feed)))
    vintage = " + ".join(bundle.name for bundle, _ in kept) or None
    return Service(tuple(feed for _, feed in kept), day if kept else None, vintage, tuple(verdicts))


def _source(bundle: Bundle) -> Path | list[tuple[str, Path]]:
    """A feed in one part is a zip; in several, its text files."""
    if len(bundle.parts) == 1:
        return bundle.parts[0][2]
    return [(name, path) for name, _, path in bundle.parts]


def _stops_inside(feed: Feed, extent: shapely.Geometry) -> int:
    import shapely

    placed = np.isfinite(feed.stop_lon) & np.isfinite(feed.stop_lat)
    return int(shapely.intersects_xy(extent, feed.stop_lon[placed], feed.stop_lat[placed]).sum())


def _problems(feed: Feed) -> tuple[tuple[str, int, str], ...]:
    return tuple((problem.code, problem.count, problem.message) for problem in feed.report.problems)
