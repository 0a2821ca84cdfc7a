"""A small mirror of the sources of the geography theme. Everything in it is invented: communes of département 96."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

IRIS = ("960010101", "960010102", "960020000")
AGES = (*(f"{a:02d}-{a + 4:02d}" for a in range(0, 95, 5)), "95et+")
ORS_HEADER = "niveau;code;annee;sexe;cla_age_5;n_beneficiaires;n_asthme;n_diabete;n_ald"
CONTOURS = "iris/departements_iris/22.geojson"
ORS = "health/ors_sante_iris.csv"


def write_contours(folder: Path, codes: Sequence[str] = IRIS) -> Path:
    """Contours of IRIS, in one of the nine files; the other eight hold the same shape under other codes."""
    for place, department in enumerate(("22", "29", "35", "44", "49", "53", "56", "72", "85")):
        found = codes if department == "22" else [f"9{place}9010101"]
        path = folder / "iris" / "departements_iris" / f"{department}.geojson"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({"type": "FeatureCollection", "features": [_feature(code) for code in found]}), encoding="utf-8"
        )
    return folder / CONTOURS


def _feature(code: str) -> dict[str, object]:
    west = -2.0 + 0.01 * (int(code[-3:], 10) % 7)
    corners = [[west, 48.0], [west + 0.01, 48.0], [west + 0.01, 48.01], [west, 48.01], [west, 48.0]]
    return {
        "type": "Feature",
        "properties": {
            "code_iris": code,
            "libelle_iris": f"Quartier {code}",
            "code_departement": code[:2],
            "code_commune": code[:5],
            "libelle_commune": "Commune inventée",
            "population": 1234.5 if not code.endswith("0000") else None,
            "libelle_epci": "CC inventée",
        },
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }


def ors_rows(codes: Sequence[str] = IRIS) -> list[str]:
    """Sound rows of the partner's file: totals, persons by sex and age, reference rates of the region."""
    rows = [f"IRIS;{code};2022;9;tsage;1200;80;ns;150" for code in codes]
    rows += [f"IRIS;{code};2022;{sex};{age};{30 + len(age)};;;" for code in codes for sex in "12" for age in AGES]
    return rows + [f"REGION;53;2022;{sex};{age};40000;2000;1500;6000" for sex in "12" for age in AGES]


def write_ors(path: Path, rows: Sequence[str] | None = None, header: str = ORS_HEADER) -> Path:
    """The partner's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *(ors_rows() if rows is None else rows)]) + "\n", encoding="utf-8")
    return path
