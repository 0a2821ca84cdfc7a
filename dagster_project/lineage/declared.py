"""What SQL alone does not say: which cells the seeds select, and what Python assets make their tables of."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.geo.contours import LAYERS
from dagster_project.geo.dwellings import DWELLINGS
from dagster_project.geo.overlaps import CODES
from dagster_project.geo.tiles import MESHES, PEOPLE
from dagster_project.lineage.declared_access import access_tables
from dagster_project.lineage.origins import ROWS, Column, Condition, Origin, Relation, Table
from dagster_project.settings import PROJECT_ROOT

SEEDS = PROJECT_ROOT / "seeds"
OBSERVATIONS = "obs_"
# The value of an observation is a mapped cell; a note cell only explains its absence.
CELL_COLUMNS = ("value", "raw_value")
NOTE_COLUMNS = ("note_value",)

CONTOURS = ("derived", "zone_geometries")
ZONE_CODE: Column = (*CONTOURS, "zone_code")
CONTOUR: Column = (*CONTOURS, "geometry_wkb")
PLACES = tuple(("raw", DWELLINGS, name) for name in ("x", "y"))


@cache
def _seed(name: str, folder: Path = SEEDS) -> tuple[dict[str, str], ...]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def unpivoted_columns(model: str) -> frozenset[str] | None:
    """Columns of a dataset that its observation model keeps, cells and notes; None for any other model.

    The model unpivots all columns of its staging table and keeps those that the seed `variable_column` names.
    """
    return _mapped(model, "source_column") | _mapped(model, "note_column") if model.startswith(OBSERVATIONS) else None


def without_notes(model: str, relation: Relation) -> Relation:
    """An observation model whose values come from cells alone, and notes from note columns; others as they are.

    UNPIVOT puts cells and notes in one column, which the model parts again by the names in the seed. Both stay among
    the conditions of every column.
    """
    if not model.startswith(OBSERVATIONS):
        return relation
    cells, notes = _mapped(model, "source_column"), _mapped(model, "note_column")
    dropped = dict.fromkeys(CELL_COLUMNS, notes - cells) | dict.fromkeys(NOTE_COLUMNS, cells - notes)
    columns = tuple((name, _without(origin, dropped.get(name, frozenset()))) for name, origin in relation.columns)
    return Relation(columns, relation.rows)


def _mapped(model: str, name: str) -> frozenset[str]:
    dataset = model.removeprefix(OBSERVATIONS)
    return frozenset(row[name] for row in _seed("variable_column") if row["dataset"] == dataset and row[name])


def _without(origin: Origin, names: frozenset[str]) -> Origin:
    kept = frozenset(column for column in origin.values if column[0] != "staging" or column[2] not in names)
    return Origin(kept, origin.conditions, origin.constants)


def indicator_cells(code: str) -> frozenset[Column]:
    """Columns of raw tables that the formula of an indicator reads, over all editions."""
    terms = [row for row in _seed("indicator_term") if row["indicator_code"] == code]
    variables = {row[name] for row in terms for name in ("variable", "base_variable")}
    return frozenset(
        ("raw", row["dataset"], row["source_column"])
        for row in _seed("variable_column")
        if row["variable"] in variables
    )


def python_tables(columns: Mapping[Table, Collection[str]], declarations: Mapping[Table, str]) -> dict[Table, Relation]:
    """Tables made by Python assets, as if a query had made them.

    Args:
        columns: names of the columns of every relation.
        declarations: tables that hold declarations, and where: each of their columns is declared there, not drawn
            from data.
    """
    declared = {
        table: Relation(tuple((name, Origin(constants=frozenset({f"{place}: {name}"}))) for name in columns[table]))
        for table, place in declarations.items()
        if table in columns
    }
    made = {"zone_geometries": _contours(), "overlaps": _overlaps(), "tile_overlaps": _tile_overlaps()}
    made |= {"dwelling_zones": _dwelling_zones(), "neighbours": _neighbours(), **access_tables()}
    return {**{("derived", name): relation for name, relation in made.items()}, **declared}


def declared_tables(manifest: Mapping[str, Any]) -> dict[Table, str]:
    """Sources of dbt whose contract says that they hold declarations (`declared_in`), and where these stand."""
    metas = {(s["source_name"], s["name"]): s.get("config", {}).get("meta", {}) for s in manifest["sources"].values()}
    return {table: meta["declared_in"] for table, meta in metas.items() if "declared_in" in meta}


def _contours() -> Relation:
    """Contours of `geo.contours`: drawn by producers, those of régions being the union of their départements."""
    cog = ("raw", "insee_cog_departements")
    shapes = frozenset(("raw", table, "geometry") for _, _, table, _ in LAYERS)
    codes = frozenset({*(("raw", table, code) for _, _, table, code in LAYERS), (*cog, "REG")})
    rows: set[Condition] = {((*cog, "DEP"), "join"), ((*cog, ROWS), "join")}
    rows |= {(code, "group by") for code in codes} | {(shape, "where") for shape in shapes}
    for _, _, table, _ in LAYERS:
        rows.add((("raw", table, ROWS), "from"))
        rows |= {(("raw", table, name), "qualify") for name in ("_geometry_crs", "_source_member", "_source_row")}
    drawn = {name: Origin(shapes) for name in ("geometry_wkb", "repaired", "repair_reason", "area_m2")}
    levels = Origin(constants=frozenset({*(f"'{level}'" for level, _, _, _ in LAYERS), "'REG'"}))
    generations = Origin(constants=frozenset(f"'{generation}'" for _, generation, _, _ in LAYERS))
    columns = {"zone_level": levels, "zone_code": Origin(codes), "generation": generations, **drawn}
    return Relation(tuple(columns.items()), frozenset(rows))


def _zones_that_meet() -> set[Condition]:
    """Conditions on the rows of both tables of overlaps: contours, and places of dwellings, that meet."""
    chosen = {((*CONTOURS, name), "where") for name in ("zone_level", "generation", "geometry_wkb")}
    return {((*CONTOURS, ROWS), "from"), *chosen, (CONTOUR, "join"), *((place, "join") for place in PLACES)}


def _overlaps() -> Relation:
    """Common parts of `geo.overlaps`: IRIS, QPV 2015 and QPV 2024 are taken from the same table of contours."""
    table, identifier = MESHES["200m"]
    tile, dwellings = ("raw", table, identifier), ("raw", DWELLINGS, "nb_log")
    vintages = frozenset({(("raw", DWELLINGS, "_vintage"), "where")})
    of_tiles = frozenset({(tile, "join"), (("raw", table, "_vintage"), "where")})
    columns = {
        **{code: Origin(frozenset({ZONE_CODE})) for code in CODES},
        "area_m2": Origin(frozenset({CONTOUR})),
        "dwellings": Origin(frozenset({dwellings}), vintages),
        "tile_population": Origin(frozenset({("raw", table, PEOPLE), CONTOUR}), of_tiles),
    }
    return Relation(tuple(columns.items()), frozenset(_zones_that_meet()))


def _tile_overlaps() -> Relation:
    """Parts of tiles of `geo.tile_overlaps`, placed by their identifiers."""
    tiles = frozenset[Column](("raw", table, identifier) for table, identifier in MESHES.values())
    rows = _zones_that_meet()
    for table, identifier in MESHES.values():
        rows |= {(("raw", table, ROWS), "from"), (("raw", table, identifier), "join")}
        rows.add((("raw", table, "_vintage"), "where"))
    counted = frozenset({(("raw", DWELLINGS, "_vintage"), "where")})
    columns = {
        "tile_id": Origin(tiles),
        "mesh": Origin(constants=frozenset(f"'{mesh}'" for mesh in MESHES)),
        "zone_level": Origin(frozenset({(*CONTOURS, "zone_level")})),
        "zone_code": Origin(frozenset({ZONE_CODE})),
        "generation": Origin(frozenset({(*CONTOURS, "generation")})),
        "area_share": Origin(frozenset({CONTOUR, *tiles})),
        "dwelling_share": Origin(frozenset({("raw", DWELLINGS, "nb_log")}), counted),
    }
    return Relation(tuple(columns.items()), frozenset(rows))


def _dwelling_zones() -> Relation:
    """Buildings of `geo.dwelling_zones`, by the place of their point."""
    rows = _zones_that_meet() | {(("raw", DWELLINGS, ROWS), "from"), (("raw", DWELLINGS, "_vintage"), "where")}
    columns = {
        "batiment_groupe_id": Origin(frozenset({("raw", DWELLINGS, "batiment_groupe_id")})),
        "zone_code": Origin(frozenset({ZONE_CODE})),
        "generation": Origin(frozenset({(*CONTOURS, "generation")})),
    }
    return Relation(tuple(columns.items()), frozenset(rows))


def _neighbours() -> Relation:
    """Zones of `geo.neighbours` whose contours touch."""
    codes = Origin(frozenset({ZONE_CODE}))
    columns = {"mesh": Origin(frozenset({(*CONTOURS, "zone_level")})), "zone_code": codes, "neighbour_code": codes}
    rows = {((*CONTOURS, ROWS), "from"), (CONTOUR, "join"), (CONTOUR, "where"), ((*CONTOURS, "zone_level"), "where")}
    return Relation(tuple(columns.items()), frozenset(rows))
