"""A small release and its archive, written by hand: every kind of figure, with values that a person worked out."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.audit.release_folder import ReleaseFolder
from dagster_project.identity.lock import LOCK_NAME
from dagster_project.release import verifier_preuve
from dagster_project.settings import Settings
from tests.locks import make_lock

RELEASE_ID = "20260101T000000Z-0123456789ab"
# Line 1 is the header; the third record takes two lines.
SOURCE = (
    "\ufeffCODGEO;TX ;A;B;NOTE\r\n"
    "QP001;46,8;1\u202f234;5 000;\r\n"
    'QP002;;"12";0;0\r\n'
    'QP003;ns;"3";"quatre\r\nlignes";\r\n'
    "QP004;50;7;8;\r\n"
    "Ensemble;30,0;100;400;\r\n"
).encode()
ZONES = b"code,type\nQP001,QPV\nQP002,QPV\nQP003,QPV\nQP004,QPV\nQP005,QPV\n"
FIRST_ROW = {"QP001": 2, "QP002": 3, "QP003": 4, "QP004": 6, "ENSEMBLE": 7}
ZONE_ROW = {"QP001": 2, "QP002": 3, "QP003": 4, "QP004": 5, "QP005": 6}
LICENCE = {"licence": "Licence Ouverte 2.0", "licence_url": "https://example.org/licence"}

LABELS = {
    "ok": "Valeur publiée",
    "secret_primaire": "Secret statistique : effectif trop faible",
    "nd": "Non disponible",
    "non_couvert": "Hors du champ de la source",
    "sans_objet": "Sans objet",
}
INDICATORS = {
    "TAUX": ("Taux", "%", 1, [("value", "tx", 1)]),
    "PART": ("Part", "%", 100, [("numerator", "a", 1), ("denominator", "b", 1)]),
    "ECART": ("Écart", "ratio", 1, [("numerator", "b", 1), ("numerator", "a", -1), ("denominator", "a", 2)]),
}
COLUMNS = {"tx": "TX", "a": "A", "b": "B"}
# Indicator, zone, text of each variable (None: no row in the file), value, numerator, denominator, status.
FIGURES: tuple[tuple[Any, ...], ...] = (
    ("TAUX", "QP001", {"tx": "46,8"}, 46.8, None, None, "ok"),
    ("TAUX", "QP002", {"tx": ""}, None, None, None, "secret_primaire"),
    ("TAUX", "QP003", {"tx": "ns"}, None, None, None, "secret_primaire"),
    ("TAUX", "QP004", {"tx": "50"}, 60.0, None, None, "ok"),
    ("TAUX", "QP005", {"tx": None}, None, None, None, "non_couvert"),
    ("TAUX", "ENSEMBLE", {"tx": "30,0"}, 30.0, None, None, "ok"),
    ("PART", "QP001", {"a": "1\u202f234", "b": "5 000"}, 24.68, 1234.0, 5000.0, "ok"),
    ("PART", "QP002", {"a": "12", "b": "0"}, None, 12.0, 0.0, "nd"),
    ("PART", "QP004", {"a": "7", "b": "8"}, 87.5, 7.0, 8.0, "ok"),
    ("PART", "QP005", {"a": None, "b": None}, None, None, None, "non_couvert"),
    ("ECART", "QP001", {"a": "1\u202f234", "b": "5 000"}, 3766 / 2468, 3766.0, 2468.0, "ok"),
    ("ECART", "ENSEMBLE", {"a": "100", "b": "400"}, 1.5, 300.0, 200.0, "ok"),
)
FIGURE_TYPES = {
    **dict.fromkeys(
        ("value", "numerator", "denominator", "ci_low", "ci_high", "n_effective", "coverage"), pa.float64()
    ),
    "comparable_with_previous": pa.bool_(),
}
BUILD_ID = "0123456789abcdef" * 4
# Tables of a release that nothing in this one fills.
EMPTY = {
    "crosswalk": "from_level varchar, from_code varchar, from_generation varchar, to_level varchar, to_code varchar, "
    "to_generation varchar, weight double, basis varchar, population double",
    "figure_component": "figure_id varchar, component_figure_id varchar",
    "crosswalk_input": "zone_level varchar, zone_code varchar, generation varchar, dataset varchar, "
    "source_sha256 varchar, source_member varchar, source_row bigint, source_column varchar, raw_value varchar",
    "mart_reseau": "dataset varchar, vintage varchar, file varchar, kind varchar, status varchar, reason_fr varchar",
    "source_presence": "dataset varchar, vintage varchar, present boolean, status varchar, reason_fr varchar",
}
# Written as Parquet alone, as in a release.
PARQUET_ONLY = ("lineage", "zone_input", *EMPTY)
LINEAGE_TYPES = {"weight": pa.float64(), "source_row": pa.int64()}
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Sample:
    """A home that holds one release."""

    home: Path

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)

    @property
    def folder(self) -> Path:
        return self.home / "releases" / RELEASE_ID

    @property
    def release(self) -> ReleaseFolder:
        return ReleaseFolder(self.folder, self.home / "archive")

    def object(self, data: bytes) -> Path:
        return self.release.object_path(sha(data))

    def rewrite(self, table: str, query: str, *, sums: bool) -> None:
        """Replace a Parquet table by a query over it, and put SHA256SUMS right again if `sums`."""
        path, aside = self.folder / f"{table}.parquet", self.folder / "aside"
        with duckdb.connect() as connection:
            connection.execute(f"create view {table} as from '{path}'")
            connection.execute(f"copy ({query}) to '{aside}' (format parquet)")
        aside.replace(path)
        if sums:
            write_sums(self.folder)

    def write(self, table: str, rows: Rows, types: dict[str, pa.DataType] | None = None) -> None:
        """Write a table as Parquet and, unless it is one of PARQUET_ONLY, as CSV."""
        write_table(self.folder, table, rows, types or {})


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_sample(home: Path, change: Callable[[dict[str, Rows]], None] = lambda _: None) -> Sample:
    """Write the archive, then the release; `change` may alter the tables before they are written."""
    sample = Sample(home)
    sample.folder.mkdir(parents=True)
    (home / "releases" / "current").symlink_to(RELEASE_ID)
    log = []
    for file in _source_files():
        data = SOURCE if file["dataset"] == "essai_taux" else ZONES
        path = sample.object(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        received = {name: file[name] for name in ("name", "size", "url", "fetched_at", "origin")}
        log.append(json.dumps({**received, "sha256": file["source_sha256"], "key": file["file"]}))
    (home / "archive" / "log.jsonl").write_text("\n".join(log) + "\n", encoding="utf-8")
    tables = _tables()
    change(tables)
    for name, rows in tables.items():
        types = {"indicator_value": FIGURE_TYPES, "lineage": LINEAGE_TYPES, "corrections": _CORRECTION_TYPES}
        write_table(sample.folder, name, rows, types.get(name, {}))
    for name in EMPTY.keys() - tables.keys():
        with duckdb.connect() as connection:
            connection.execute(f"create table {name} ({EMPTY[name]})")
            connection.execute(f"copy {name} to '{sample.folder}/{name}.parquet' (format parquet)")
    made = {"build_id": BUILD_ID, "settings": {"sources": "mirror", "territory": "west", "demo_seed": None}}
    (sample.folder / LOCK_NAME).write_text(make_lock(**made).canonical(), encoding="utf-8")
    shutil.copyfile(verifier_preuve.__file__, sample.folder / "verifier_preuve.py")
    write_sums(sample.folder)
    return sample


def copy_sample(sample: Sample, to: Path) -> Sample:
    """The same home elsewhere, free to be spoilt."""
    shutil.copytree(sample.home, to, symlinks=True)
    for path in (to / "archive").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Sample(to)


def write_sums(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{sha((folder / name).read_bytes())}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def write_table(folder: Path, name: str, rows: Rows, types: dict[str, pa.DataType]) -> None:
    kinds = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), list: pa.list_(pa.string()), bytes: pa.binary()}
    first = {column: next((row[column] for row in rows if row[column] is not None), "") for column in rows[0]}
    schema = pa.schema([(c, types.get(c) or kinds.get(type(value), pa.string())) for c, value in first.items()])
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / f"{name}.parquet")
    if name in PARQUET_ONLY:
        return
    cells = {"dim_zone": "* exclude (geometry) replace (array_to_string(communes, ' ') as communes)"}.get(name, "*")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {cells} from '{folder}/{name}.parquet') to '{folder}/{name}.csv' (header, delimiter ';')"
        )


def figure_key(indicator: str, zone: str) -> str:
    level = "ENSQPV" if zone == "ENSEMBLE" else "QPV"
    return f"{indicator}.{level}.{zone}.QP2015.2021"


_CORRECTION_TYPES = {"corrected_value": pa.float64(), "width": pa.int64()}


def _source_files() -> Rows:
    common = {
        **{"vintage": "2021", "origin": "mirror", "copy_of": "producer_bytes", "format": "csv", "encoding": "utf-8"},
        **{"fetched_at": "2026-01-01T08:30:00+00:00", "header_row": 1, "rejects": 0, **LICENCE},
        **{"producer": "Institut d’essai", "citation": "Institut d’essai, essais", "page": "https://example.org/essai"},
    }
    files = (("essai_taux", "TAUX_2021", "taux.csv", SOURCE, ";"), ("essai_zones", "ZONES", "zones.csv", ZONES, ","))
    return [
        {
            "dataset": dataset,
            "file": file,
            "name": name,
            "source_sha256": sha(data),
            "size": len(data),
            "url": f"mirror:essai/{name}",
            "title": f"Table {file}",
            "delimiter": delimiter,
            **common,
        }
        for dataset, file, name, data, delimiter in files
    ]


def _cell(
    key: str, role: str, variable: str | None, weight: float | None, row: int | None, **more: Any
) -> dict[str, Any]:
    return {
        "figure_id": key,
        "role": role,
        "term": None,
        "variable": variable,
        "weight": weight,
        "dataset": "essai_taux",
        "source_sha256": sha(SOURCE),
        "source_member": "taux.csv",
        "source_row": row,
        "source_column": None,
        "raw_value": None,
        "correction_id": None,
        **more,
    }


def _cells(indicator: str, zone: str, texts: dict[str, str | None]) -> Rows:
    key, row = figure_key(indicator, zone), FIRST_ROW.get(zone)
    rows = [
        _cell(
            key,
            role,
            variable,
            float(coefficient),
            row,
            source_column=COLUMNS[variable],
            raw_value=texts[variable],
            correction_id="taux-qp004" if (zone, variable) == ("QP004", "tx") else None,
        )
        for role, variable, coefficient in INDICATORS[indicator][3]
    ]
    if row is not None:
        text = "Ensemble" if zone == "ENSEMBLE" else zone
        rows.append(_cell(key, "key", None, None, row, source_column="CODGEO", raw_value=text))
    if (indicator, zone) == ("TAUX", "QP002"):
        rows.append(_cell(key, "note", "tx", None, row, source_column="NOTE", raw_value="0"))
    return rows


def _tables() -> dict[str, Rows]:
    zones = [*ZONE_ROW, "ENSEMBLE"]
    return {
        "indicator_value": sorted(map(_figure, FIGURES), key=lambda row: row["figure_id"]),
        "lineage": sorted(
            (cell for indicator, zone, texts, *_ in FIGURES for cell in _cells(indicator, zone, texts)),
            key=lambda row: [str(value) for value in row.values()],
        ),
        "indicator": [_indicator(code, *INDICATORS[code][:3]) for code in sorted(INDICATORS)],
        "indicator_term": [
            {
                **{"indicator_code": code, "path": 1 if role == "value" else 2, "from_level": None, "role": role},
                **{"variable": variable, "base_variable": None, "coefficient": coefficient},
            }
            for code in sorted(INDICATORS)
            for role, variable, coefficient in INDICATORS[code][3]
        ],
        "variable_column": [
            {
                **{"variable": variable, "variable_group": "ESSAI", "dataset": "essai_taux", "vintage": "*"},
                **{"source_column": column, "note_column": "NOTE"},
            }
            for variable, column in COLUMNS.items()
        ],
        "note_status": [
            {"dataset": "*", "note_code": "0", "status": "secret_primaire", "meaning_fr": "Effectif trop faible"},
            {"dataset": "*", "note_code": "3", "status": "nd", "meaning_fr": "Ligne non diffusée"},
        ],
        "known_break": [
            {
                **{"variable_group": "ESSAI", "vintage": "*", "kind": "definition"},
                **{"reason_fr": "La définition a changé", "citation": "Institut d’essai"},
            }
        ],
        "corrections": [
            {
                **{"correction_id": "taux-qp004", "dataset": "essai_taux", "vintage": "2021", "zone_code": "QP004"},
                **{"source_column": "TX", "action": "override", "corrected_value": 60.0, "width": None},
                **{"reason": "Le producteur a confirmé 60.", "reported_by": "un lecteur", "reported_on": "2026-01-01"},
                "producer": "Institut d’essai",
            }
        ],
        "source_file": _source_files(),
        "dim_zone": [_zone(code) for code in zones],
        "zone_input": [cell for code in ZONE_ROW for cell in _zone_cells(code)],
        "absence": [{"label": label, "label_fr": text} for label, text in LABELS.items()],
        "mart_comparaison": [_comparison("TAUX", "QP001", 46.8, 30.0)],
    }


def _figure(figure: tuple[Any, ...]) -> dict[str, Any]:
    code, zone, _, value, numerator, denominator, status = figure
    level = "ENSQPV" if zone == "ENSEMBLE" else "QPV"
    return {
        **{"indicator_code": code, "zone_level": level, "zone_code": zone, "generation": "QP2015", "vintage": "2021"},
        **{"value": value, "unit": INDICATORS[code][1], "numerator": numerator, "denominator": denominator},
        **{"ci_low": None, "ci_high": None, "n_effective": None, "method": "M0"},
        **{"coverage": 1.0 if status == "ok" else None, "status": status, "comparable_with_previous": None},
        **{"reference_period": "année 2020", "dataset": "essai_taux", "licence": LICENCE["licence"]},
        **{"figure_id": figure_key(code, zone), "run_id": "0123456789ab"},
    }


def _indicator(code: str, label: str, unit: str, scale: float) -> dict[str, Any]:
    return {
        **{"indicator_code": code, "libelle_fr": label, "definition_fr": f"{label} d’essai.", "unit": unit},
        **{"formula": f"formule de {code}", "theme": "essais", "scale": scale},
        "mesusage_fr": "Ne pas s’en servir : c’est un essai.",
    }


def _zone(code: str) -> dict[str, Any]:
    total = code == "ENSEMBLE"
    return {
        **{"zone_level": "ENSQPV" if total else "QPV", "zone_code": code, "generation": "QP2015"},
        **{"name": "Ensemble des quartiers prioritaires" if total else f"Quartier {code}"},
        **{"communes": None if total else ["99001"], "geometry": b"contour"},
        **{"source_dataset": None if total else "essai_zones", "source_sha256": None if total else sha(ZONES)},
        **{"source_member": None if total else "zones.csv", "source_row": ZONE_ROW.get(code)},
        **{"source_column": None if total else "code", "zone_key": None if total else code},
    }


def _zone_cells(code: str) -> Rows:
    """The cell of the zone's code, and that of its type."""
    zone = {"zone_level": "QPV", "zone_code": code, "generation": "QP2015", "dataset": "essai_zones"}
    place = {"source_sha256": sha(ZONES), "source_member": "zones.csv", "source_row": ZONE_ROW[code]}
    return [
        {**zone, **place, "source_column": column, "raw_value": text}
        for column, text in (("code", code), ("type", "QPV"))
    ]


def _comparison(indicator: str, zone: str, value: float, other: float) -> dict[str, Any]:
    return {
        **{"indicator_code": indicator, "zone_code": zone, "generation": "QP2015", "vintage": "2021"},
        **{"reference_period": "année 2020", "value": value, "unit": "%", "status": "ok"},
        **{"comparison_level": "ENSQPV", "comparison_code": "ENSEMBLE", "comparison_value": other},
        **{"comparison_status": "ok", "difference": value - other, "figure_id": figure_key(indicator, zone)},
        "comparison_figure_id": figure_key(indicator, "ENSEMBLE"),
    }
