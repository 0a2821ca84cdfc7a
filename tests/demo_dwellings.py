"""Files of the demonstration that count dwellings: their paths, and how tests read them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely

from dagster_project.demo_territory.geometry import to_metres

DEPARTEMENTS = (22, 29, 35, 44, 49, 53, 56, 72, 85)
CONTOURS = tuple(f"iris/departements_iris/{number}.geojson" for number in DEPARTEMENTS)
SUMMARIES = tuple(f"iris/agg_iris_{number}.parquet" for number in DEPARTEMENTS)
FILOSOFI = tuple(f"iris/BASE_TD_FILO_DISP_IRIS_{year}.csv" for year in (2017, 2018, 2019))
CAF = tuple(f"iris/data_CAF_{year}_IRIS.csv" for year in range(2016, 2021))
TILES, NATURAL = "carreaux/carreaux_200m_met.csv", "carreaux/carreaux_nivNaturel_met.csv"
BUILDINGS, REFERENCE, C2S = "housing/bdnb_logements.csv", "iris/iris_2021.csv", "iris/beneficiaires_CNAM_IRIS.csv"
NATIONAL = "health/c2s_national.csv"
ORS, CNAM = "health/ors_sante_iris.csv", "health/echantillon_effectifs.csv"
PROFILES = "health/c2s_profils_partenaire.csv"
CORRESPONDENCE = "qpv/liste-correspondance-qp2024-qp2015.csv"


def rows_of(path: Path, delimiter: str = ";") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter))


def columns_of(path: Path, delimiter: str = ";") -> list[str]:
    return next(csv.reader([path.read_bytes().decode("utf-8-sig").splitlines()[0]], delimiter=delimiter))


def true_zones(mirror: Path) -> dict[tuple[str, str], dict[str, dict[str, int]]]:
    """(level, generation) -> code -> variable -> true count."""
    found: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
    for row in rows_of(mirror / "_verite/zones_logements.csv", ","):
        level, code, generation, *_ = row.values()
        counts = {name: int(value) for name, value in list(row.items())[3:]}
        found.setdefault((level, generation), {})[code] = counts
    return found


def features_of(mirror: Path) -> list[dict]:
    return [feature for path in CONTOURS for feature in json.loads((mirror / path).read_bytes())["features"]]


def iris_contours(mirror: Path) -> dict[str, shapely.Geometry]:
    """By code, in the degrees of the files."""
    return {f["properties"]["code_iris"]: shapely.geometry.shape(f["geometry"]) for f in features_of(mirror)}


def in_metres(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.make_valid(shapely.transform(shape, lambda points: to_metres([points])[0]))


def qpv_2024(mirror: Path) -> dict[str, shapely.Geometry]:
    """By code, EPSG:2154, repaired."""
    features = json.loads((mirror / "qpv/qpv2024_simplified.geojson").read_bytes())["features"]
    return {f["properties"]["code_qp"]: in_metres(shapely.geometry.shape(f["geometry"])) for f in features}


def buildings(mirror: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points and numbers of dwellings."""
    rows = rows_of(mirror / BUILDINGS, ",")
    points = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    return points, np.array([int(row["nb_log"]) for row in rows])


def summary(mirror: Path) -> dict[str, dict]:
    """The compilation of the census, by code of IRIS."""
    return {row["code"]: row for path in SUMMARIES for row in pq.read_table(mirror / path).to_pylist()}
