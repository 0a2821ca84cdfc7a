"""Figures of a release, each with everything the release says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dagster_project.audit.recompute.formulas import Formula, Path, load_formulas
from dagster_project.audit.reference import NoteMeaning, NoteMeanings, key_column, status_labels
from dagster_project.audit.release_folder import Record, records
from dagster_project.release.verifier_preuve import (
    CALCUL,
    COMPTABLES,
    NIVEAUX,
    nom_du_terme,
    statut_evident,
    valeur_corrigee,
)

if TYPE_CHECKING:
    import duckdb

ROLE_ORDER = (*COMPTABLES, "parameter", "weight", "note", "key", "zone", "zone_type")

# Bounds on the key spare the row groups that hold other figures.
ROWS = "select * from indicator_value where figure_id between ? and ? and figure_id in (select unnest(?))"
EDITIONS = f"""
select edition.figure_id, edition.vintage, edition.value, edition.status,
    edition.indicator_code, edition.zone_level, edition.zone_code, edition.generation
from indicator_value as edition
semi join ({ROWS}) as figure using (indicator_code, zone_level, zone_code, generation)
where edition.indicator_code between ? and ?
order by edition.vintage
"""
ZONES = f"""
select * exclude (geometry) from dim_zone
semi join ({ROWS}) as figure using (zone_level, zone_code, generation)
"""
# The same bytes may have come under two names: the one that the cell gives is preferred.
CELLS = f"""
with

figure as ({ROWS}),

cell as (
    select * from lineage where figure_id between ? and ? and figure_id in (select unnest(?))
    union all by name
    select
        figure.figure_id, if(raw_value = zone.zone_code, 'zone', 'zone_type') as role,
        zone.* exclude (zone_level, zone_code, generation)
    from zone_input as zone
    inner join figure using (zone_level, zone_code, generation)
    union all by name
    -- The cells that set the weights of IRIS in the zone; they enter no sum.
    select figure.figure_id, 'weight' as role, link.* exclude (zone_level, zone_code, generation)
    from crosswalk_input as link
    inner join figure using (zone_level, zone_code, generation)
    where figure.method = 'M2'
)

select cell as cell, archived as archived, correction as correction
from cell
inner join figure using (figure_id)
left join source_file as archived using (source_sha256)
left join corrections as correction
    on
        cell.correction_id = correction.correction_id
        and coalesce(correction.zone_code, figure.zone_code) = figure.zone_code
qualify row_number() over (
    partition by cell
    order by
        archived.dataset != cell.dataset,
        archived.name != regexp_replace(cell.source_member, '#[^#]*$', ''),
        archived.name
) = 1
"""
# The units that the crosswalk puts in the zones of figures made of them.
UNITS = f"""
select
    figure.figure_id, link.from_level as level, link.from_code as code, zone.name, link.weight, link.basis,
    link.population
from ({ROWS}) as figure
inner join crosswalk as link
    on
        figure.zone_level = link.to_level and figure.zone_code = link.to_code
        and figure.generation = link.to_generation
        and link.from_level = case figure.method {" ".join(f"when '{m}' then '{u}'" for m, u in NIVEAUX.items())} end
left join dim_zone as zone on link.from_level = zone.zone_level and link.from_code = zone.zone_code
order by figure.figure_id, link.from_code
"""
ABSENT_SOURCES = f"""
select figure.figure_id, source.reason_fr as reason
from ({ROWS}) as figure
inner join source_presence as source
    on
        figure.dataset = source.dataset and figure.vintage = source.vintage and figure.status = source.status
        and not source.present
"""


@dataclass(frozen=True)
class Input:
    """One source cell of a figure.

    Attributes:
        cell: its row of `lineage.parquet`, or of `zone_input.parquet` under the role `zone` or `zone_type`.
        file: its row of `source_file.parquet`; empty when the release does not describe the file.
        correction: its row of `corrections.parquet`, None when it is not corrected.
        value: the number that enters the formula, None when there is none.
        status: `ok`, or why there is no number; None for cells that do not enter the formula.
        reason: the same as a French sentence.
        key_column: column that names zones in this file, where the file has no row for this zone.
    """

    cell: Record
    file: Record
    correction: Record | None
    value: float | None = None
    status: str | None = None
    reason: str | None = None
    key_column: str | None = None


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        row: its row of `indicator_value`.
        indicator: that of its indicator.
        zone: that of its zone.
        path: the formula that its cells follow.
        inputs: its cells.
        editions: the same figure in every edition.
        units: what the crosswalk says of the units that it is made of, by code; none when its cells are the zone's.
        absent_source: why the source of a figure without a cell is not there.
    """

    row: Record
    indicator: Record
    zone: Record
    path: Path
    inputs: list[Input]
    editions: list[Record]
    units: list[Record]
    absent_source: str | None

    @property
    def arithmetic(self) -> list[Input]:
        """The cells that enter the formula."""
        return [entry for entry in self.inputs if entry.cell["role"] in CALCUL]

    @property
    def crossed(self) -> bool:
        """Whether it is made of other units than its zone."""
        return self.row["method"] in NIVEAUX


def load_figures(connection: duckdb.DuckDBPyConnection, figure_ids: Sequence[str]) -> Iterator[Figure]:
    """Figures by id, in the order of their ids; ids that the release does not have are left out."""
    ids = sorted(set(figure_ids))
    if not ids:
        return
    bounds = [ids[0], ids[-1], ids]
    rows = records(connection, f"{ROWS} order by figure_id", bounds)
    codes = sorted({row["indicator_code"] for row in rows}) or [""]
    editions = _grouped(records(connection, EDITIONS, [*bounds, codes[0], codes[-1]]), "indicator_code", *_ZONE)
    zones = _grouped(records(connection, ZONES, bounds), *_ZONE)
    indicators = _grouped(records(connection, "from indicator"), "indicator_code")
    formulas = load_formulas(connection)
    inputs = _inputs(connection, bounds)
    units = _grouped(records(connection, UNITS, bounds), "figure_id")
    absent = {row["figure_id"]: row["reason"] for row in records(connection, ABSENT_SOURCES, bounds)}
    for row in rows:
        code = row["indicator_code"]
        cells = inputs.get(row["figure_id"], [])
        arithmetic = [entry.cell for entry in cells if entry.cell["role"] in COMPTABLES]
        yield Figure(
            row=row,
            indicator=indicators[code,][0],
            zone=zones.get(_key(row, *_ZONE), [{"name": row["zone_code"]}])[0],
            # What only a model makes has no terms.
            path=formulas.get(code, Formula(1.0)).path(
                row["method"],
                (cell["variable"] for cell in arithmetic),
                direct=any(cell["role"] == "value" for cell in arithmetic),
            ),
            inputs=cells,
            editions=editions[_key(row, "indicator_code", *_ZONE)],
            units=units.get((row["figure_id"],), []),
            absent_source=None if arithmetic else absent.get(row["figure_id"]),
        )


_ZONE = ("zone_level", "zone_code", "generation")


def _key(row: Record, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def _grouped(rows: list[Record], *columns: str) -> dict[tuple[Any, ...], list[Record]]:
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for row in rows:
        groups.setdefault(_key(row, *columns), []).append(row)
    return groups


def _inputs(connection: duckdb.DuckDBPyConnection, bounds: list[Any]) -> dict[str, list[Input]]:
    """Cells by figure id, those of the formula first."""
    found = records(connection, CELLS, [*bounds, *bounds])
    found.sort(key=lambda row: _place(row["cell"]))
    notes = {
        (cell["figure_id"], cell["variable"], cell["source_row"]): cell["raw_value"]
        for cell in (row["cell"] for row in found)
        if cell["role"] == "note"
    }
    meanings, labels = NoteMeanings(connection), status_labels(connection)
    inputs: dict[str, list[Input]] = {}
    for row in found:
        cell = row["cell"]
        note = notes.get((cell["figure_id"], cell["variable"], cell["source_row"])) or ""
        # A join that finds nothing gives a row of nulls.
        file = row["archived"] if row["archived"]["source_sha256"] else {}
        correction = row["correction"] if row["correction"]["correction_id"] else None
        entry = Input(cell, file, correction)
        if cell["role"] in COMPTABLES:
            entry = _weighed(entry, note, meanings, labels)
        if entry.status == "non_couvert" and cell["source_row"] is None:
            column = key_column(connection, cell["dataset"], cell["source_sha256"])
            entry = replace(entry, key_column=column)
        inputs.setdefault(cell["figure_id"], []).append(entry)
    return inputs


def _place(cell: Record) -> tuple[Any, ...]:
    role = ROLE_ORDER.index(cell["role"]) if cell["role"] in ROLE_ORDER else len(ROLE_ORDER)
    unit, main = nom_du_terme(cell["term"] or "")
    base = cell["variable"] != main
    return role, unit, main, base, cell["variable"] or "", cell["dataset"], cell["source_column"] or ""


def _weighed(entry: Input, note: str, meanings: NoteMeanings, labels: Mapping[str, str]) -> Input:
    """A cell that enters the formula, with its number or why it has none."""
    cell, correction = entry.cell, entry.correction
    action, given = (correction["action"], correction["corrected_value"]) if correction else (None, None)
    value = valeur_corrigee(cell["raw_value"], action, given)
    if value is not None:
        return replace(entry, value=value, status="ok")
    status = statut_evident(cell["raw_value"], cell["source_row"], action)
    if status is None:
        status, reason = meanings.of(cell["dataset"], note) or NoteMeaning("nd", labels["nd"])
        return replace(entry, status=status, reason=reason)
    return replace(entry, status=status, reason=labels.get(status, status))
