"""From what a person typed to a figure, or to what comes near it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from dagster_project.audit.explain.figure import Figure, load_figures
from dagster_project.audit.release_folder import Record, ask, records
from dagster_project.pages.french import LEVELS

if TYPE_CHECKING:
    import duckdb

NEAR = 6
CUTOFF = 0.5
# Zones named by the codes of others: what is left of a commune bears the code of the commune.
BORROWED = {"HQPV", "UUENV"}

# A code may be mistyped by a letter or two; a name may have been typed in its place.
NEAR_ZONES = """
select zone_code, any_value(name), any_value(zone_level)
from dim_zone
group by zone_code
order by
    least(
        damerau_levenshtein(zone_code, upper(?)) / length(?),
        1 - jaro_winkler_similarity(lower(any_value(name)), lower(?))
    ),
    zone_code
limit ?
"""


class UnknownFigureError(LookupError):
    """No such figure; the message, in French, says what comes near."""


@dataclass(frozen=True)
class Asked:
    """What is asked for: codes as typed, the rest None when it was not said."""

    indicator: str
    zone: str
    vintage: str | None = None
    generation: str | None = None
    level: str | None = None


def find_figure(connection: duckdb.DuckDBPyConnection, asked: Asked) -> Figure:
    """The figure asked for; without a vintage, the latest edition that has a value, else the latest.

    Raises:
        UnknownFigureError: no such indicator, zone or edition, or the zone's code is borne by several levels.
    """
    editions = _editions(connection, _indicator(connection, asked.indicator), asked)
    with_value = [row for row in editions if row["value"] is not None]
    wanted = [row for row in editions if row["vintage"] == asked.vintage] if asked.vintage else with_value or editions
    if not wanted:
        known = ", ".join(row["vintage"] for row in editions)
        raise UnknownFigureError(f"pas d’édition {asked.vintage} de ce chiffre. Éditions présentes : {known}")
    return next(load_figures(connection, [wanted[-1]["figure_id"]]))


def _indicator(connection: duckdb.DuckDBPyConnection, code: str) -> str:
    known = dict(ask(connection, "select indicator_code, libelle_fr from indicator").fetchall())
    if code.upper() in known:
        return code.upper()
    by_label = {label.lower(): name for name, label in known.items()}
    close = get_close_matches(code.upper(), known, NEAR, CUTOFF)
    close += [by_label[label] for label in get_close_matches(code.lower(), by_label, NEAR, CUTOFF)]
    shown = "".join(f"\n  {name:20} {known[name]}" for name in dict.fromkeys(close))
    advice = f"Qui s’en approche :{shown}" if shown else "Leur liste est dans indicator.csv, dans la version"
    raise UnknownFigureError(f"pas d’indicateur {code} dans cette version. {advice}")


def _editions(connection: duckdb.DuckDBPyConnection, indicator: str, asked: Asked) -> list[Record]:
    """Every edition of the figure, oldest first."""
    query = (
        "select figure_id, vintage, value, zone_level, generation from indicator_value "
        "where indicator_code = ? and zone_code = ?"
    )
    parameters = [indicator, asked.zone.upper()]
    for column, value in (("zone_level", asked.level), ("generation", asked.generation)):
        if value:
            query += f" and {column} = ?"
            parameters.append(value.upper())
    rows = records(connection, f"{query} order by vintage", parameters)
    if not asked.level and any(row["zone_level"] not in BORROWED for row in rows):
        rows = [row for row in rows if row["zone_level"] not in BORROWED]
    zones = sorted({(row["zone_level"], row["generation"]) for row in rows})
    if len(zones) > 1:
        choices = ", ".join(f"{level} ({LEVELS.get(level, level)}), {generation}" for level, generation in zones)
        raise UnknownFigureError(
            f"le code {asked.zone} désigne plusieurs zones : {choices}. Préciser avec --level et --generation"
        )
    if not rows:
        raise UnknownFigureError(_no_figure(connection, indicator, asked))
    return rows


def _no_figure(connection: duckdb.DuckDBPyConnection, indicator: str, asked: Asked) -> str:
    query = "select distinct zone_level, generation from dim_zone where zone_code = ? order by all"
    if zones := ask(connection, query, [asked.zone.upper()]).fetchall():
        query = "select distinct zone_level, generation from indicator_value where indicator_code = ? order by all"
        covered = ask(connection, query, [indicator]).fetchall()
        return (
            f"pas de chiffre {indicator} pour la zone {asked.zone}, {_named(zones)}, avec ces options. "
            f"Cet indicateur existe pour : {_named(covered) or 'aucune zone'}"
        )
    near = ask(connection, NEAR_ZONES, [asked.zone, asked.zone, asked.zone, NEAR]).fetchall()
    shown = "".join(f"\n  {code:12} {name} ({LEVELS.get(level, level)})" for code, name, level in near)
    return f"pas de zone {asked.zone} dans cette version. Qui s’en approche :{shown}"


def _named(zones: list[tuple[str, str]]) -> str:
    return ", ".join(f"{level} ({generation})" for level, generation in zones)
