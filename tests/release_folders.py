"""Small release folders made from a described world, with an evaluator of their figures that is not the product's.

A world is what figures depend on: files, corrections, formulas, zones, notes, program. Change one thing in it, write
both worlds, and what a comparison must find is known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.identity.lock import LOCK_NAME

DATASET, VINTAGE, GENERATION = "insee_revn", "2021", "QP2015"
PLACE_COLUMN = "CODGEO"
Place = tuple[str, str]  # edition, zone or part of a zone
CellKey = tuple[str, str, str]  # edition, zone or part, variable


@dataclass(frozen=True)
class Indicator:
    """Terms are (role, variable) → coefficient; the file has a column for each variable.

    A numerator that has a base (`bases`) is a published share, and multiplies the cell that it is a share of.
    """

    terms: Mapping[tuple[str, str], float]
    scale: float = 1.0
    unit: str = "%"
    theme: str = "revenus"
    label: str = "Indicateur"
    bases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """Text as the producer wrote it, and the note that explains an empty one."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Result:
    """A figure: value, numerator, denominator, status."""

    value: float | None
    numerator: float | None
    denominator: float | None
    status: str


@dataclass(frozen=True)
class World:
    """All that figures depend on. `program` names the code; `bias` multiplies the figures that it changes."""

    indicators: Mapping[str, Indicator]
    zones: Mapping[str, str]
    cells: Mapping[CellKey, Cell]
    columns: Mapping[str, str]
    corrections: Mapping[CellKey, tuple[str, float | None]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=lambda: {"0": "secret_primaire", "3": "nd"})
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    program: str = "a"
    bias: Mapping[str, float] = field(default_factory=dict)
    sources: str = "demo"
    method: str = "M0"

    # Changes, each of one cause

    def revise(self, texts: Mapping[CellKey, str]) -> World:
        """The producer republishes its file with other texts."""
        return replace(self, cells={**self.cells, **{key: Cell(text) for key, text in texts.items()}})

    def mask(self, keys: Mapping[CellKey, str]) -> World:
        """The producer hides cells; the note says why."""
        return replace(self, cells={**self.cells, **{key: Cell("", note) for key, note in keys.items()}})

    def correct(self, corrections: Mapping[CellKey, tuple[str, float | None]]) -> World:
        return replace(self, corrections={**self.corrections, **corrections})

    def reformulate(self, code: str, **changes: Any) -> World:
        return replace(self, indicators={**self.indicators, code: replace(self.indicators[code], **changes)})

    def recompose(self, parts: Mapping[str, Mapping[str, float]]) -> World:
        """Zones are made of other parts, or of the same ones in other proportions."""
        return replace(self, parts={**self.parts, **parts})

    def reprogram(self, bias: Mapping[str, float], program: str = "b") -> World:
        return replace(self, bias={**self.bias, **bias}, program=program)

    # Figures

    @property
    def vintages(self) -> list[str]:
        return sorted({vintage for vintage, _, _ in self.cells})

    def figures(self) -> dict[str, Result]:
        """Every figure by its identifier."""
        return {
            figure_id(code, zone, vintage): self.evaluate(code, zone, vintage)
            for vintage in self.vintages
            for code, indicator in self.indicators.items()
            if self._path(indicator, vintage)
            for zone in self.zones
        }

    def evaluate(self, code: str, zone: str, vintage: str) -> Result:
        indicator = self.indicators[code]
        terms = self._path(indicator, vintage)
        sums: dict[str, float] = {}
        statuses = set()
        for (role, variable), coefficient in sorted(terms.items()):
            for part, share in self._parts(zone).items():
                term = coefficient * share
                for name in (variable, *self._base(indicator, role, variable)):
                    value, status = self._read((vintage, part, name))
                    statuses.add(status)
                    term *= value or 0.0
                sums[role] = sums.get(role, 0.0) + term
        status = next(
            (s for s in ("secret_primaire", "nd") if s in statuses), "ok" if statuses == {"ok"} else "non_couvert"
        )
        if status == "nd" or (len(statuses) > 1 and status == "non_couvert"):
            status = "nd"
        if status != "ok":
            return Result(None, None, None, status)
        bias = self.bias.get(figure_id(code, zone, vintage), 1.0)
        if "value" in sums:
            return Result(sums["value"] * bias, None, None, "ok")
        numerator, denominator = sums["numerator"], sums["denominator"]
        if denominator == 0:
            return Result(None, numerator, denominator, "nd")
        return Result(indicator.scale * numerator / denominator * bias, numerator, denominator, "ok")

    def _base(self, indicator: Indicator, role: str, variable: str) -> tuple[str, ...]:
        return (indicator.bases[variable],) if role == "numerator" and variable in indicator.bases else ()

    def _parts(self, zone: str) -> Mapping[str, float]:
        return self.parts.get(zone, {zone: 1.0})

    def _path(self, indicator: Indicator, vintage: str) -> dict[tuple[str, str], float]:
        """Terms of the first path whose variables the edition has all; none when there is no such path."""
        carried = {variable for edition, _, variable in self.cells if edition == vintage and variable in self.columns}
        published = {term: c for term, c in indicator.terms.items() if term[0] == "value"}
        ratio = {term: c for term, c in indicator.terms.items() if term[0] != "value"}
        return next((p for p in (published, ratio) if p and {variable for _, variable in p} <= carried), {})

    def _read(self, key: CellKey) -> tuple[float | None, str]:
        cell = self.cells.get(key)
        if cell is None:
            return None, "non_couvert"
        action, corrected = self.corrections.get(key, ("none", None))
        try:
            number = float(cell.text.replace("\u202f", "").replace(",", "."))
        except ValueError:
            number = None
        if action == "drop":
            return None, "nd"
        if action == "override":
            return corrected, "ok"
        if number is None:
            marks = {"ns": "secret_primaire", "nd": "nd"}
            return None, marks.get(cell.text) or ("nd" if cell.text else self.notes.get(cell.note, "nd"))
        return (number * (corrected or 0.0) if action == "scale" else number), "ok"

    # A release folder

    def write(self, folder: Path) -> Path:
        """Write the release of this world; what a comparison does not read is left out."""
        folder.mkdir(parents=True)
        lock = {
            "build_id": hashlib.sha256(repr(self).encode()).hexdigest(),
            "settings": {"sources": self.sources, "territory": "france"},
            "code": {"files": {"dbt_models/macros/textes.sql": self.program}},
            "libraries": {"duckdb": "1.5.6"},
            "python": "3.12.3",
        }
        (folder / LOCK_NAME).write_text(json.dumps(lock), encoding="utf-8")
        for name, rows in self._tables().items():
            pq.write_table(pa.Table.from_pylist(rows, SCHEMAS[name]), folder / f"{name}.parquet")
        return folder

    def _tables(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "indicator_value": [self._figure_row(name, result) for name, result in sorted(self.figures().items())],
            "lineage": [row for name in sorted(self.figures()) for row in self._lineage(*split(name))],
            "indicator": [
                {
                    "indicator_code": code,
                    "libelle_fr": indicator.label,
                    "definition_fr": "Définition.",
                    "formula": "formule",
                    "mesusage_fr": "Rien.",
                    **{name: getattr(indicator, name) for name in ("unit", "theme", "scale")},
                }
                for code, indicator in sorted(self.indicators.items())
            ],
            "indicator_term": [
                {"indicator_code": code, "role": role, "variable": variable, "coefficient": coefficient}
                for code, indicator in sorted(self.indicators.items())
                for (role, variable), coefficient in sorted(indicator.terms.items())
            ],
            "note_status": [
                {"dataset": "*", "note_code": note, "status": status} for note, status in sorted(self.notes.items())
            ],
            "variable_column": [
                {
                    "dataset": DATASET,
                    "vintage": "*",
                    "source_column": column,
                    "variable": variable,
                    "note_column": "NOTE",
                }
                for variable, column in sorted(self.columns.items())
            ],
            "corrections": [
                {
                    "correction_id": correction_id(key),
                    "dataset": DATASET,
                    "source_column": self.columns[key[2]],
                    "action": action,
                    "corrected_value": value,
                    "width": None,
                }
                for key, (action, value) in sorted(self.corrections.items())
            ],
            "source_file": [
                {"dataset": DATASET, "vintage": vintage, "source_sha256": self.digest(vintage)}
                for vintage in self.vintages
            ],
            "dim_zone": [
                {
                    "zone_level": "QPV",
                    "zone_code": zone,
                    "generation": GENERATION,
                    "name": name,
                    "communes": ["96001"],
                    "epci": "200000001",
                    "departement": "96",
                    "region": "90",
                    "geometry": zone.encode(),
                }
                for zone, name in sorted(self.zones.items())
            ],
        }

    def digest(self, vintage: str) -> str:
        """Digest of the edition's file: other texts, other bytes."""
        content = sorted((key, cell.text, cell.note) for key, cell in self.cells.items() if key[0] == vintage)
        return hashlib.sha256(repr(content).encode()).hexdigest()

    def _figure_row(self, name: str, result: Result) -> dict[str, Any]:
        code, zone, vintage = split(name)
        return {
            "figure_id": name,
            "indicator_code": code,
            "zone_level": "QPV",
            "zone_code": zone,
            "generation": GENERATION,
            "vintage": vintage,
            "unit": self.indicators[code].unit,
            "method": self.method,
            "dataset": DATASET,
            **result.__dict__,
        }

    def _lineage(self, code: str, zone: str, vintage: str) -> list[dict[str, Any]]:
        places = sorted({place for edition, place, _ in self.cells if edition == vintage})
        file = {"figure_id": figure_id(code, zone, vintage), "dataset": DATASET, "source_sha256": self.digest(vintage)}
        rows = []
        for (role, variable), coefficient in self._path(self.indicators[code], vintage).items():
            for part, share in self._parts(zone).items():
                base = self._base(self.indicators[code], role, variable)
                for name, weight in ((variable, coefficient * share), *((name, 1.0) for name in base)):
                    key = (vintage, part, name)
                    cell = self.cells.get(key)
                    line = places.index(part) + 2 if cell else None
                    term = f"{part}:{variable}" if base else None
                    arithmetic = {"role": role, "term": term, "variable": name, "weight": weight, "source_row": line}
                    arithmetic |= {"source_column": self.columns[name], "raw_value": cell.text if cell else None}
                    rows.append(
                        file | arithmetic | {"correction_id": correction_id(key) if key in self.corrections else None}
                    )
                if cell:
                    rows.append(
                        file | {"role": "key", "source_row": line, "source_column": PLACE_COLUMN, "raw_value": part}
                    )
                key = (vintage, part, variable)
                cell = self.cells.get(key)
                if cell and not cell.text and self._read(key)[0] is None:
                    note = {"role": "note", "variable": variable, "source_row": line, "source_column": "NOTE"}
                    rows.append(file | note | {"raw_value": cell.note})
        return rows


def figure_id(code: str, zone: str, vintage: str = VINTAGE) -> str:
    return f"{code}.QPV.{zone}.{GENERATION}.{vintage}"


def split(name: str) -> tuple[str, str, str]:
    code, _, zone, _, vintage = name.split(".")
    return code, zone, vintage


def correction_id(key: CellKey) -> str:
    return "-".join(key).lower().replace("_", "-")


def _schema(text: str, **others: pa.DataType) -> pa.Schema:
    return pa.schema([(name, others.get(name, pa.string())) for name in text.split()])


FLOATS = {name: pa.float64() for name in ("value", "numerator", "denominator", "weight", "coefficient", "scale")}
SCHEMAS = {
    "indicator_value": _schema(
        "figure_id indicator_code zone_level zone_code generation vintage value unit numerator denominator status "
        "method dataset",
        **FLOATS,
    ),
    "lineage": _schema(
        "figure_id role term variable weight dataset source_sha256 source_row source_column raw_value correction_id",
        **FLOATS,
        source_row=pa.int64(),
    ),
    "indicator": _schema("indicator_code libelle_fr definition_fr unit formula theme scale mesusage_fr", **FLOATS),
    "indicator_term": _schema("indicator_code role variable coefficient", **FLOATS),
    "note_status": _schema("dataset note_code status"),
    "variable_column": _schema("dataset vintage source_column variable note_column"),
    "corrections": _schema(
        "correction_id dataset source_column action corrected_value width",
        corrected_value=pa.float64(),
        width=pa.int64(),
    ),
    "source_file": _schema("dataset vintage source_sha256"),
    "dim_zone": _schema(
        "zone_level zone_code generation name communes epci departement region geometry",
        communes=pa.list_(pa.string()),
        geometry=pa.binary(),
    ),
}
