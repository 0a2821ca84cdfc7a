"""Declared corrections of known source errors: `corrections/<producer>.yml`.

    corrections:
      - id: lannion-population-repetee        # stable, named on every figure concerned
        dataset: anct_analyse_qpv             # catalogue id, and the edition concerned
        vintage: "2024"
        column: popMuniQPV                    # source column, under the producer's name
        zones: [QN02201M, QN02202M]           # absent: every row (action `pad` only)
        action: flag                          # override | scale | drop | flag | pad
        value: 1234                           # override: the right value; scale: the factor
        reason: …                             # French, for auditors
        reported_by: …                        # who found it, and when
        reported_on: 2026-11-24
        expect: {cells: "1296"}               # the error as it stands

Nothing is repaired in silence: a figure made from a corrected cell names the correction, and keeps the producer's
text. `expect` fails as soon as the producer has mended the error, so that no correction outlives it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

CORRECTIONS_DIR = PROJECT_ROOT / "corrections"
ZONE_ACTIONS = {"override", "scale", "drop", "flag"}
ROWS_SHOWN = 5


class CorrectionError(ValueError):
    """A corrections file is wrong; the message names the file and the key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expect(_Strict):
    """The error as the producer's file still shows it: the same text in every cell, or a form that some cells have."""

    cells: str | None = None
    pattern: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Expect:
        if (self.cells is None) == (self.pattern is None):
            raise ValueError("give either `cells` (text of every cell concerned) or `pattern` (form of some cells)")
        return self


class Correction(_Strict):
    """One known error and what is done about it."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    dataset: str
    vintage: str
    column: str
    zones: tuple[str, ...] = ()
    action: Literal["override", "scale", "drop", "flag", "pad"]
    value: float | None = None
    width: int | None = Field(None, ge=1)
    reason: str = Field(min_length=40)
    reported_by: str = Field(min_length=5)
    reported_on: date
    expect: Expect

    @model_validator(mode="after")
    def _complete(self) -> Correction:
        if (self.action in {"override", "scale"}) != (self.value is not None):
            raise ValueError(f"{self.id}: `value` goes with override and scale, and only with them")
        if (self.action == "pad") != (self.width is not None):
            raise ValueError(f"{self.id}: `width` goes with pad, and only with it")
        if (self.action in ZONE_ACTIONS) != bool(self.zones):
            raise ValueError(f"{self.id}: `zones` names the cells of {sorted(ZONE_ACTIONS)}; pad concerns every row")
        return self


@dataclass(frozen=True)
class Guard:
    """Whether the error that a correction mends is still there. `observed` is a French sentence."""

    correction: Correction
    holds: bool
    observed: str


def load_corrections(catalogue: dict[str, Dataset], folder: Path = CORRECTIONS_DIR) -> tuple[Correction, ...]:
    """All corrections, by file then in order; raises CorrectionError on an unknown key, dataset or edition."""
    found: list[Correction] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            entries = [Correction.model_validate(entry) for entry in content["corrections"]]
        except (ValidationError, yaml.YAMLError, KeyError, TypeError) as error:
            raise CorrectionError(f"{path.name}: {error}") from error
        for entry in entries:
            dataset = catalogue.get(entry.dataset)
            if dataset is None or entry.vintage not in {vintage.vintage for vintage in dataset.vintages}:
                raise CorrectionError(f"{path.name}, {entry.id}: no {entry.dataset} {entry.vintage} in the catalogue")
        found += entries
    names = [entry.id for entry in found]
    if len(names) != len(set(names)):
        raise CorrectionError(f"{folder}: a correction id is used twice ({sorted(names)})")
    return tuple(found)


def corrections_table(corrections: Iterable[Correction], catalogue: dict[str, Dataset]) -> pa.Table:
    """One row per correction and zone (a single one, without zone, for `pad`), sorted.

    Columns: correction_id, dataset, vintage, zone_code, source_column, action, corrected_value (override: the value;
    scale: the factor), width, reason, reported_by, reported_on, producer.
    """
    import pyarrow as pa

    rows = [
        {
            "correction_id": entry.id,
            "dataset": entry.dataset,
            "vintage": entry.vintage,
            "zone_code": zone,
            "source_column": entry.column,
            "action": entry.action,
            "corrected_value": entry.value,
            "width": entry.width,
            "reason": entry.reason.strip(),
            "reported_by": entry.reported_by,
            "reported_on": entry.reported_on.isoformat(),
            "producer": catalogue[entry.dataset].origin.producer,
        }
        for entry in corrections
        for zone in entry.zones or (None,)
    ]
    kinds = {"corrected_value": pa.float64(), "width": pa.int64()}
    names = (
        *("correction_id", "dataset", "vintage", "zone_code", "source_column", "action"),
        *("corrected_value", "width", "reason", "reported_by", "reported_on", "producer"),
    )
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (row["correction_id"], row["zone_code"] or "")), schema)


def check_guards(dataset: Dataset, raw: Path, corrections: Iterable[Correction]) -> list[Guard]:
    """Is each error of this dataset still in its raw table?

    Args:
        dataset: catalogue entry, whose `key` names the column of zone codes.
        raw: the raw table, as Parquet.
        corrections: those of any dataset; others are left aside.
    """
    import duckdb

    concerned = [entry for entry in corrections if entry.dataset == dataset.id]
    if not concerned:
        return []
    with duckdb.connect() as connection:
        connection.execute(f"create view raw as select * from read_parquet('{raw}')")
        return [_guard(connection, entry, dataset) for entry in concerned]


def _guard(connection: Any, entry: Correction, dataset: Dataset) -> Guard:
    column, zone_column = f'"{entry.column}"', _zone_column(dataset)
    where, values = "_vintage = ?", [entry.vintage]
    if entry.zones:
        where += f' and trim("{zone_column}") in ({", ".join("?" * len(entry.zones))})'
        values += entry.zones
    rows = connection.execute(
        f'select {column}, "{zone_column}", _source_row from raw where {where}', values
    ).fetchall()
    if entry.expect.cells is not None:
        zones = {zone.strip() for _, zone, _ in rows}
        mended = [(cell, zone, row) for cell, zone, row in rows if cell != entry.expect.cells]
        lost = sorted(set(entry.zones) - zones)
        shown = "; ".join(f"{zone}, ligne {row} : « {cell} »" for cell, zone, row in mended[:ROWS_SHOWN])
        gone = f"; absents du fichier : {', '.join(lost)}" if lost else ""
        observed = shown + gone or f"{len(rows)} cellules portent toujours « {entry.expect.cells} »"
        return Guard(entry, not mended and not lost, observed)
    query = f"select count(*) from raw where {where} and regexp_full_match({column}, ?)"
    (matching,) = connection.execute(query, [*values, entry.expect.pattern]).fetchone()
    return Guard(entry, matching > 0, f"{matching} cellules de la forme {entry.expect.pattern}")


def _zone_column(dataset: Dataset) -> str:
    """The key column that holds the zone's code: the last one, where a row is keyed by commune and zone."""
    return dataset.key[-1]
