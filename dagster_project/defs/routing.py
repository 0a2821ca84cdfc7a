"""Access to work: homes, places of work, and the travel times between them, one step per département."""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.defs.geography import table_result
from dagster_project.defs.raw import raw_key
from dagster_project.geo import destinations, origins, supply
from dagster_project.routing.bundles import road_datasets, transit_datasets
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.code import CARRIERS
from dagster_project.sources.derived import cached_table, cached_tables

if TYPE_CHECKING:
    import pyarrow as pa

ZONES = dg.AssetKey(["derived", "zone_geometries"])
TRIPS = dg.AssetKey(["derived", "trips"])
GROUNDS = "dagster_project.routing.grounds"
ENGINES = "dagster_project.routing.roads"
ENGINE_MODULES = ("valhalla", "osrm", "tomtom")
GROUP = "acces_emploi"
KINDS = {"python", "parquet"}
NO_DEPARTEMENT = "aucun"


def routing_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Tables under `DQ_HOME/derived` that time-tables and streets are turned into."""
    networks = [*road_datasets(load_catalogue().values()), *transit_datasets(load_catalogue().values())]
    derived = settings.derived_dir
    zones_path = derived / "zone_geometries.parquet"
    grounds_code = code_version(
        GROUNDS,
        cached_table.__module__,
        own=[__name__],
        facts=settings.road_engine,
        without=[*CARRIERS, *(f"{ENGINES}.{name}" for name in ENGINE_MODULES if name != settings.road_engine)],
    )
    supply_code = code_version(supply.__name__, cached_table.__module__, own=[__name__])

    @dg.multi_asset(
        name="derived__transit",
        specs=[
            _spec(
                "networks",
                "Réseaux de rues et horaires reçus : ce que chacun devient, pourquoi, et ses anomalies comptées.",
                [raw_key(name) for name in networks],
                grounds_code,
            ),
            _spec(
                "transit_stops",
                "Arrêts desservis le jour de référence : départs de 6 h à 22 h, départs par heure en pointe.",
                [raw_key(name) for name in networks],
                grounds_code,
            ),
        ],
    )
    def transit_asset() -> Iterator[dg.MaterializeResult[Any]]:
        from dagster_project.routing.grounds import network_tables, received

        bundles = received(settings, networks)
        salt = grounds_code + json.dumps([bundle.digest for bundle in bundles])
        made: dict[str, pa.Table] = {}

        def table(name: str) -> "pa.Table":
            if not made:
                made.update(network_tables(settings, bundles))
            return made[name]

        for name in ("networks", "transit_stops"):
            path = derived / f"{name}.parquet"
            rows = cached_table(path, [], salt, partial(table, name))
            result = table_result(path, rows, {})
            yield dg.MaterializeResult(
                asset_key=["derived", name], data_version=result.data_version, metadata=result.metadata
            )

    @dg.asset(
        key=["derived", "transit_supply"],
        deps=[ZONES, dg.AssetKey(["derived", "transit_stops"]), *map(raw_key, supply.RAW_TABLES)],
        description="Départs de transports en commun à portée des logements de chaque quartier.",
        code_version=supply_code,
        group_name=GROUP,
        kinds=KINDS,
        owners=[OWNER],
    )
    def supply_asset() -> dg.MaterializeResult[Any]:
        import pyarrow.parquet as pq

        stops = derived / "transit_stops.parquet"
        inputs = [zones_path, stops, *(settings.raw_dir / f"{name}.parquet" for name in supply.RAW_TABLES)]
        path = derived / "transit_supply.parquet"
        rows = cached_table(
            path,
            inputs,
            supply_code,
            lambda: supply.build_supply(zones_path, settings.raw_dir, pq.read_table(stops)),
        )
        return table_result(path, rows, {})

    @dg.asset(
        key=["derived", "travel_times"],
        deps=[TRIPS, dg.AssetKey(["derived", "origins"])],
        group_name=GROUP,
        kinds=KINDS,
        owners=[OWNER],
        description=(
            "Temps de trajet des habitants vers les lieux d’emploi et les offres, en voiture, à vélo, à pied et en "
            "transports en commun."
        ),
        code_version=grounds_code,
    )
    def travel_times_asset() -> dg.MaterializeResult[Any]:
        from dagster_project.routing.grounds import departements_served, received, stacked
        from dagster_project.routing.trips import empty_trips

        served = departements_served(settings, received(settings, networks), derived / "origins.parquet")
        parts = [_trips_path(settings, departement) for departement in served]
        path = derived / "travel_times.parquet"
        rows = cached_tables(path, parts, grounds_code, empty_trips().schema, lambda: stacked(parts))
        return table_result(path, rows, {"departements": ", ".join(served) or "aucun"})

    return [
        _places(
            settings,
            "origins",
            origins,
            origins.build_origins,
            "Points de départ des habitants de chaque quartier et du reste de ses communes, dix au plus.",
        ),
        _places(
            settings,
            "destinations",
            destinations,
            destinations.build_destinations,
            "Lieux vers lesquels on calcule des trajets : un point par IRIS, et les lieux des offres d’emploi.",
        ),
        transit_asset,
        supply_asset,
        _trips(settings, networks, grounds_code),
        travel_times_asset,
    ]


def _places(
    settings: Settings, name: str, module: ModuleType, build: Callable[[Path, Path], "pa.Table"], description: str
) -> dg.AssetsDefinition:
    """A table of points that a module of `geo` makes of contours and of its RAW_TABLES."""
    code = code_version(module.__name__, cached_table.__module__, own=[__name__])

    @dg.asset(
        key=["derived", name],
        deps=[ZONES, *map(raw_key, module.RAW_TABLES)],
        description=description,
        code_version=code,
        group_name=GROUP,
        kinds=KINDS,
        owners=[OWNER],
    )
    def places() -> dg.MaterializeResult[Any]:
        zones = settings.derived_dir / "zone_geometries.parquet"
        inputs = [zones, *(settings.raw_dir / f"{table}.parquet" for table in module.RAW_TABLES)]
        path = settings.derived_dir / f"{name}.parquet"
        return table_result(path, cached_table(path, inputs, code, lambda: build(zones, settings.raw_dir)), {})

    return places


def _spec(name: str, description: str, deps: list[dg.AssetKey], code: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["derived", name],
        deps=deps,
        description=description,
        code_version=code,
        group_name=GROUP,
        kinds=KINDS,
        owners=[OWNER],
    )


def _trips(settings: Settings, networks: list[str], code: str) -> dg.AssetsDefinition:
    """The heavy step: as many steps as départements with homes on a network, which any executor may spread."""
    upstream = [
        ZONES,
        dg.AssetKey(["derived", "origins"]),
        dg.AssetKey(["derived", "destinations"]),
        *map(raw_key, networks),
    ]
    ins = {"_".join(key.path): dg.In(dg.Nothing) for key in upstream}
    homes_path, places_path = (settings.derived_dir / f"{name}.parquet" for name in ("origins", "destinations"))

    @dg.op(ins=ins, out=dg.DynamicOut(str))
    def departements() -> Iterator[dg.DynamicOutput[str]]:
        from dagster_project.routing.grounds import departements_served, received

        served = departements_served(settings, received(settings, networks), homes_path)
        for departement in served or [NO_DEPARTEMENT]:
            yield dg.DynamicOutput(departement, mapping_key=f"dep_{departement}")

    @dg.op(out=dg.Out(str))
    def trips_of_departement(context: dg.OpExecutionContext, departement: str) -> str:
        from dagster_project.routing.grounds import departement_trips, received
        from dagster_project.routing.trips import empty_trips

        bundles = received(settings, networks)
        inputs = hashlib.sha256(homes_path.read_bytes() + places_path.read_bytes()).hexdigest()
        salt = code + json.dumps([departement, inputs, [bundle.digest for bundle in bundles]])
        path = _trips_path(settings, departement)
        rows = cached_tables(
            path,
            [],
            salt,
            empty_trips().schema,
            lambda: departement_trips(settings, bundles, departement, homes_path, places_path),
        )
        context.log.info(f"{departement}: {rows} trips")
        return str(path)

    @dg.op(out=dg.Out(dg.Nothing))
    def every_departement(context: dg.OpExecutionContext, parts: list[str]) -> None:
        context.log.info(f"{len(parts)} file(s) of trips")

    @dg.graph_asset(
        key=TRIPS,
        ins={"_".join(key.path): dg.AssetIn(key, dagster_type=dg.Nothing) for key in upstream},
        group_name=GROUP,
        kinds=KINDS,
        owners=[OWNER],
        description=(
            "Trajets des habitants, un fichier par département : autant d’étapes, qu’un exécuteur peut répartir."
        ),
        code_version=code,
    )
    def trips(**upstream_assets: Any) -> Any:
        return every_departement(departements(**upstream_assets).map(trips_of_departement).collect())

    return trips


def _trips_path(settings: Settings, departement: str) -> Path:
    return settings.derived_dir / "trips" / f"{departement}.parquet"
