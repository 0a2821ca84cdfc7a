"""Road times and distances by car, bicycle and foot: a network made once from an extract, engines that answer on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.routing.roads.engine import EngineError, RoadEngine

if TYPE_CHECKING:
    from dagster_project.routing.roads.tiles import RoadNetwork
    from dagster_project.settings import Settings


def engine_for(settings: Settings, network: RoadNetwork | None, *, threads: int = 1) -> RoadEngine:
    """The engine that the settings name, on a network (TomTom has its own, and needs none).

    Raises:
        EngineError: tomtom without a key, another engine without a network, or tiles that cannot be built.
    """
    if settings.road_engine == "tomtom":
        from dagster_project.routing.roads.tomtom import TomTom

        return TomTom(settings)
    if network is None:
        raise EngineError(f"road_engine={settings.road_engine} needs a street network")
    if settings.road_engine == "osrm":
        from dagster_project.routing.roads.osrm import Osrm

        return Osrm(network, threads=threads)
    from dagster_project.routing.roads.valhalla import Valhalla

    return Valhalla(network, threads=threads)
