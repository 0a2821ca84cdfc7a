"""A small release with figures made of other units than their zone, worked out by hand in the order of the sums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.release_samples import (
    LICENCE,
    Rows,
    Sample,
    figure_key,
    make_sample,
    sha,
    write_sums,
)

# U3 has no share, U5 a masked one; U6 is not in the file.
UNITS = b"UNITE;PART;POP;LOG\nU1;20;1000;\nU2;40;500;\nU3;;300;\nU4;10;200;\nU5;ns;100;\nB1;;;12\nB2;;;30\n"
ROWS = {"U1": 2, "U2": 3, "U3": 4, "U4": 5, "U5": 6, "B1": 7, "B2": 8}
TEXTS = {
    **{"U1": {"part": "20", "pop": "1000"}, "U2": {"part": "40", "pop": "500"}, "U3": {"part": "", "pop": "300"}},
    **{"U4": {"part": "10", "pop": "200"}, "U5": {"part": "ns", "pop": "100"}},
    **{"B1": {"log": "12"}, "B2": {"log": "30"}},
}
SOURCE_COLUMNS = {"part": "PART", "pop": "POP", "log": "LOG"}
# Zone: units with their weight and their inhabitants in the zone.
LINKS = {
    "QP001": {"U1": (1.0, 1000.0), "U2": (0.5, 250.0)},
    "QP002": {"U1": (0.3, 300.0), "U4": (1.0, 200.0)},
    "QP003": {"U1": (0.1, 100.0)},
    "QP004": {"U1": (1.0, 1000.0), "U3": (1.0, 300.0)},
    "QP005": {"U5": (1.0, 100.0), "U6": (1.0, 50.0)},
}
BUILDINGS = {"QP001": {"B1": (1.0, None), "B2": (1.0, None)}}
TERMS = {
    "REPORT": [(1, None, "value", "part", None, 1.0), (2, "IRIS", "numerator", "part", "pop", 0.01),
               (2, "IRIS", "denominator", "pop", None, 1.0)],
    "LOGES": [(1, "LOGEMENT", "value", "log", None, 1.0)],
    "CONV": [(1, None, "numerator", "cas", None, 1.0), (1, None, "denominator", "assures", None, 1.0)],
}  # fmt: skip
ABOVE, BELOW = 0.01 * 20 * 1000 + 0.01 * 0.5 * 40 * 500, 1000.0 + 0.5 * 500
SPREAD, OVER = 0.01 * 0.3 * 20 * 1000 + 0.01 * 10 * 200, 0.3 * 1000 + 200
# Indicator, zone, method, value, numerator, denominator, coverage, status.
REPORTED: tuple[tuple[Any, ...], ...] = (
    ("REPORT", "QP001", "M2", 100 * ABOVE / BELOW, ABOVE, BELOW, 1.0, "ok"),
    ("REPORT", "QP002", "M2", 100 * SPREAD / OVER, SPREAD, OVER, 200 / 500, "estime"),
    ("REPORT", "QP003", "M2", None, None, None, 0.0, "non_couvert"),
    ("REPORT", "QP004", "M2", 20.0, 200.0, 1000.0, 1000 / 1300, "ok"),
    ("REPORT", "QP005", "M2", None, None, None, None, "secret_primaire"),
    ("LOGES", "QP001", "M1", 42.0, None, None, 1.0, "ok"),
    ("CONV", "QP001", "M0", None, None, None, None, "convention"),
)
ABSENT = "Fichier d’un partenaire, sous convention."


def make_reported_sample(home: Path) -> Sample:
    """The release of `make_sample`, with those figures and the file that they come from."""
    archived = Sample(home).object(UNITS)
    archived.parent.mkdir(parents=True)
    archived.write_bytes(UNITS)
    sample = make_sample(home, _add)
    received = _source_file({})
    line = {name: received[name] for name in ("name", "size", "url", "fetched_at", "origin")}
    with (home / "archive" / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({**line, "sha256": sha(UNITS), "key": received["file"]}) + "\n")
    write_sums(sample.folder)
    return sample


def _add(tables: dict[str, Rows]) -> None:
    figures = tables["indicator_value"]
    figures += [_figure(figures[0], *figure) for figure in REPORTED]
    figures.sort(key=lambda row: row["figure_id"])
    tables["lineage"] += [cell for figure in REPORTED for cell in _cells(*figure[:3])]
    tables["lineage"].sort(key=lambda row: [str(value) for value in row.values()])
    for code, terms in TERMS.items():
        scale = 1 if code == "LOGES" else 100
        tables["indicator"].append({**tables["indicator"][0], "indicator_code": code, "scale": scale})
        names = ("path", "from_level", "role", "variable", "base_variable", "coefficient")
        tables["indicator_term"] += [{"indicator_code": code, **dict(zip(names, term, strict=True))} for term in terms]
    for row in tables["indicator_term"]:
        row["coefficient"] = float(row["coefficient"])
    tables["variable_column"] += [
        {**tables["variable_column"][0], "dataset": "essai_unites", "variable": name, "source_column": column,
         "note_column": None} for name, column in SOURCE_COLUMNS.items()
    ]  # fmt: skip
    tables["source_file"].append(_source_file(tables["source_file"][0]))
    tables["crosswalk"] = [
        {
            **{"from_level": level, "from_code": code, "from_generation": "COG"},
            **{"to_level": "QPV", "to_code": zone, "to_generation": "QP2015", "weight": weight},
            **{"basis": "population" if level == "IRIS" else "dwellings", "population": people},
        }
        for level, links in (("IRIS", LINKS), ("LOGEMENT", BUILDINGS))
        for zone, units in links.items()
        for code, (weight, people) in units.items()
    ]
    tables["source_presence"] = [
        {"dataset": "essai_convention", "vintage": "2021", "present": False, "status": "convention",
         "reason_fr": ABSENT}
    ]  # fmt: skip
    tables["absence"].append({"label": "convention", "label_fr": "Sous convention"})


def _source_file(like: dict[str, Any]) -> dict[str, Any]:
    return {
        **{"vintage": "2021", "fetched_at": "2026-01-01T08:30:00+00:00", "origin": "mirror", **LICENCE, **like},
        **{"dataset": "essai_unites", "file": "UNITES", "name": "unites.csv", "source_sha256": sha(UNITS)},
        **{"size": len(UNITS), "url": "mirror:essai/unites.csv", "title": "Table UNITES", "delimiter": ";"},
    }


def _figure(like: dict[str, Any], code: str, zone: str, method: str, *results: Any) -> dict[str, Any]:
    value, numerator, denominator, coverage, status = results
    return {
        **like,
        **{"indicator_code": code, "zone_level": "QPV", "zone_code": zone, "figure_id": figure_key(code, zone)},
        **{"method": method, "value": value, "numerator": numerator, "denominator": denominator},
        **{"coverage": coverage, "status": status, "unit": "%"},
        "dataset": "essai_convention" if code == "CONV" else "essai_unites",
    }


def _cells(code: str, zone: str, method: str) -> Rows:
    """Cells of the units that are in the file; a unit without one of them is set aside."""
    links = BUILDINGS if method == "M1" else LINKS if method == "M2" else {}
    rows: Rows = []
    for unit, (weight, _) in links.get(zone, {}).items():
        texts = TEXTS.get(unit)
        if texts is None:
            continue
        whole = all(text not in {"", "ns"} for text in texts.values())
        rows.append(_cell(code, zone, unit, "key", unit, None, None, "UNITE", unit))
        for _, level, role, variable, base, coefficient in TERMS[code]:
            for name, factor in ((variable, coefficient * weight), (base, 1.0)):
                if level and name:
                    given = (role if whole else "set_aside", f"{unit}:{variable}", name, factor)
                    rows.append(_cell(code, zone, unit, *given, SOURCE_COLUMNS[name], texts[name]))
    return rows


def _cell(
    code: str, zone: str, unit: str, role: str, term: str, variable: str | None, weight: float | None, column: str,
    text: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        **{"figure_id": figure_key(code, zone), "role": role, "term": term, "variable": variable, "weight": weight},
        **{"dataset": "essai_unites", "source_sha256": sha(UNITS), "source_member": "unites.csv"},
        **{"source_row": ROWS[unit], "source_column": column, "raw_value": text, "correction_id": None},
    }
