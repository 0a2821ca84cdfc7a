"""Figures made of other units than their zone: which units, under which weights, and what their interval rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_project.provenance.explain.figure import Figure, Input
from dagster_project.provenance.explain.model import Reported, UnitInfo
from dagster_project.provenance.french import BASES, ROLES, UNITS, number, plural
from dagster_project.provenance.release_folder import Record, ReleaseFolder, records
from dagster_project.provenance.verifier_preuve import (
    COUVERTURE_MINIMALE,
    COUVERTURE_PLEINE,
    ECARTEE,
    NIVEAUX,
    nom_du_terme,
)

if TYPE_CHECKING:
    import duckdb

# As `comparaisons_minimales` in dbt_project.yml: a class of errors speaks only with so many comparisons.
ENOUGH = 20
SCOPE = (
    "Le lignage couvre les cellules des sommes, leurs poids et les unités écartées. Les cellules de population qui ne "
    "servent qu’à fonder les poids sont à part, dans crosswalk_input.parquet ; les contours n’y sont pas."
)
NO_INTERVAL = "Pas d’intervalle : la zone est faite d’unités entières, ou aucune erreur mesurée ne lui va."
OF_REST = (
    "Intervalle à 90 % tiré de ceux des quartiers que la zone entoure : ce qui manque aux uns est chez l’autre, en "
    "proportion des effectifs."
)
# Comparisons of each class, from the nearest to the widest.
CLASSES = """
with comparison as (
    select error.family, error.coverage_class, error.zones
    from mart_erreur_report as error
    inner join downscaling_family as indicator on error.nature = indicator.kind
    where indicator.indicator_code = ? and error.method = ? and error.coverage_class != 'toutes'
),

class as (
    select 1 as rank, sum(zones) as comparisons from comparison
    where coverage_class = ? and family in (select family from downscaling_family where indicator_code = ?)
    union all
    select 2, sum(zones) from comparison where coverage_class = ?
    union all
    select 3, sum(zones) from comparison
)

select rank, comparisons, (select family from downscaling_family where indicator_code = ?) as family
from class
where comparisons >= ?
order by rank
limit 1
"""


def reported_of(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder, figure: Figure) -> Reported | None:
    """What a figure made of other units says of them; None for a figure of its zone's own cells."""
    if not figure.reported:
        return None
    counted, aside = _by_unit(figure, aside=False), _by_unit(figure, aside=True)
    units = tuple(
        _unit(unit, counted.get(unit["code"], []), aside.get(unit["code"], []))
        for unit in sorted(figure.units, key=lambda unit: (-unit["weight"], -(unit["population"] or 0), unit["code"]))
    )
    level = NIVEAUX[figure.row["method"]]
    return Reported(
        level=level,
        level_fr=UNITS[level][1],
        counted=len(counted),
        set_aside=len(aside),
        without_cell=sum(unit.state == "without_cell" for unit in units),
        units=units,
        interval_basis=_interval(connection, release, figure),
        scope=SCOPE,
    )


def _by_unit(figure: Figure, *, aside: bool) -> dict[str, list[Input]]:
    found: dict[str, list[Input]] = {}
    for entry in figure.inputs:
        if entry.cell["term"] and entry.status is not None and (entry.cell["role"] == ECARTEE) == aside:
            found.setdefault(nom_du_terme(entry.cell["term"])[0], []).append(entry)
    return found


def _unit(unit: Record, counted: Sequence[Input], aside: Sequence[Input]) -> UnitInfo:
    return UnitInfo(
        code=unit["code"],
        name=unit["name"],
        weight=unit["weight"],
        basis=unit["basis"],
        basis_fr=BASES.get(unit["basis"], unit["basis"]),
        population=unit["population"],
        state="counted" if counted else "set_aside" if aside else "without_cell",
        cells=_cells(counted or aside),
    )


def _cells(entries: Sequence[Input]) -> str:
    """« numérateur : part 22,88 × base 1 984 ; dénominateur : base 1 984 »."""
    terms: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        cell = entry.cell
        value = number(entry.value) if entry.value is not None else f"({(entry.status or 'nd').replace('_', ' ')})"
        terms.setdefault((cell["role"], cell["term"]), []).append(f"{cell['variable']} {value}")
    return " ; ".join(f"{ROLES[role]} : {' × '.join(cells)}" for (role, _), cells in terms.items())


def _interval(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder, figure: Figure) -> str:
    row = figure.row
    if row["ci_low"] is None:
        return NO_INTERVAL
    if row["zone_level"] != "QPV":
        return OF_REST
    share = row["coverage"]
    coverage = "forte" if share >= COUVERTURE_PLEINE else "partielle" if share >= COUVERTURE_MINIMALE else "faible"
    found = []
    if release.has("mart_erreur_report") and release.has("downscaling_family"):
        code = row["indicator_code"]
        found = records(connection, CLASSES, [code, row["method"], coverage, code, coverage, code, ENOUGH])
    text = "Intervalle à 90 % : l’estimation, moins les erreurs mesurées là où la valeur est publiée"
    if not found:
        return f"{text}."
    rank, count = found[0]["rank"], plural(int(found[0]["comparisons"]), "comparaison")
    family = f", variables de la famille « {found[0]['family']} »" if rank == 1 and found[0]["family"] != "*" else ""
    of_class = f", couverture {coverage}" if rank < 3 else ", toutes couvertures"  # noqa: PLR2004 (the widest class)
    return f"{text}{family}{of_class} ({count}, voir mart_erreur_report)."
