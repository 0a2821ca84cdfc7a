"""Invented rows of a small build: every status of a figure and every reason of an empty cell has its own."""

from __future__ import annotations

from typing import Any

import shapely

from dagster_project.sources.catalogue import Dataset

Row = dict[str, Any]

SQUARE = shapely.box(350_000, 6_780_000, 351_000, 6_781_000)
PAIR = shapely.union_all([SQUARE, shapely.box(352_000, 6_780_000, 353_000, 6_781_000)])
LISTED = {
    "source_dataset": "anct_qpv_2024",
    "source_sha256": "0" * 64,
    "source_member": "qpv.shp",
    "source_column": "c",
}
CELL = {"dataset": "insee_revn", "source_sha256": "ab" * 32, "source_member": "REVN.csv", "source_column": "TP60"}
# indicator, zone, edition, status, value, numerator and denominator
FIGURES = (
    ("REV_TP60", "QP096001", "2019", "ok", 46.8, None),
    ("REV_TP60", "QP096001", "2020", "nd", None, None),
    ("REV_TP60", "QP096001", "2021", "estime", 47.25, None),
    ("REV_TP60", "QP096002", "2019", "secret_primaire", None, None),
    ("REV_TP60", "QP096002", "2021", "secret_secondaire", None, None),
    ("REV_MED", "QP096001", "2019", "nd", None, None),
    ("REV_MED", "QP096001", "2021", "ok", 13060.0, None),
    ("REV_MED", "QP096002", "2021", "convention", None, None),
    ("C2S_TX", "QP096001", "2021", "ok", 31.45046329294369, (3530.0, 11224.0)),
    ("C2S_TX", "QP096002", "2021", "non_couvert", None, None),
    ("DEM_POP", "QP096001", "2021", "ok", 1e-7, None),
    ("DE_ABC", "QP096001", "2021", "ok", 1815.0, None),
)
# edition, value, status, compared value, its status
COMPARISONS = (
    ("2019", 46.8, "ok", 14.2, "ok"),
    ("2020", None, "nd", 14.2, "ok"),
    ("2021", 47.25, "ok", None, "nd"),
)


def rows_of(mart: str, shift: float) -> list[Row]:
    """Rows of a mart that is not wide, few or none; `shift` is added to every value, so that two builds differ."""
    shifted = {"indicator_value": figures, "mart_comparaison": comparisons}
    fixed = {
        **{"dim_zone": zones, "figure_input": cells, "zone_input": zone_cells, "crosswalk": links},
        **{"mart_erreur_report": errors, "mart_erreur_zone": zone_errors},
    }
    return shifted[mart](shift) if mart in shifted else fixed[mart]() if mart in fixed else []


def zones() -> list[Row]:
    """A QPV of each generation, one whose commune is unknown, their commune, which is in no EPCI, and France."""
    qpv: Row = {"zone_level": "QPV", "departement": "96", "region": "95", **LISTED, "source_row": 2, "zone_key": "k"}
    known: Row = {"communes": ["96001", "96002"], "epci": "200000096", "population": 1200}
    first: Row = {"zone_code": "QP096001", "generation": "QP2015", "name": 'Le « Bas » ; l\'"Autre"'}
    second: Row = {"zone_code": "QN09601X", "generation": "QN2024", "name": "=Les Moulins"}
    unknown: Row = {"zone_code": "QP096002", "generation": "QP2015", "name": "Sans commune"}
    commune: Row = {"zone_level": "COM", "zone_code": "96001", "generation": "COG", "name": "Île-aux-Essais"}
    total: Row = {"zone_level": "FRM", "zone_code": "FRM", "generation": "COG", "name": "France métropolitaine"}
    return [
        {**qpv, **known, **first, "geometry": shapely.to_wkb(SQUARE)},
        {**qpv, **known, **second, "geometry": shapely.to_wkb(PAIR)},
        {**qpv, **unknown},
        {**qpv, **commune, "communes": ["96001"], "population": 12, "geometry": shapely.to_wkb(SQUARE)},
        {**total, "population": 65},
    ]


def figures(shift: float) -> list[Row]:
    """One figure per status, some with their terms, over two editions."""
    return [
        {
            "indicator_code": code,
            "zone_level": "QPV",
            "zone_code": zone,
            "generation": "QP2015",
            "vintage": vintage,
            "value": None if value is None else value + shift,
            "unit": "%",
            "numerator": terms[0] if terms else None,
            "denominator": terms[1] if terms else None,
            "method": "M0",
            "coverage": None if value is None else 1.0,
            "status": status,
            "comparable_with_previous": False if vintage == "2021" else None,
            "reference_period": "revenus 2019",
            "dataset": "insee_revn",
            "licence": "Licence Ouverte 2.0 (Etalab)",
            "figure_id": f"{code}.QPV.{zone}.QP2015.{vintage}",
            "run_id": "a" * 12,
        }
        for code, zone, vintage, status, value, terms in FIGURES
    ]


def comparisons(shift: float) -> list[Row]:
    """A figure beside that of its commune: both there, only one, only the other."""
    return [
        {
            "indicator_code": "REV_TP60",
            "zone_code": "QP096001",
            "generation": "QP2015",
            "vintage": vintage,
            "reference_period": "revenus 2019",
            "value": None if value is None else value + shift,
            "unit": "%",
            "status": status,
            "comparison_level": "COM",
            "comparison_code": "96001",
            "comparison_value": other,
            "comparison_status": other_status,
            "difference": None if value is None or other is None else value + shift - other,
            "figure_id": f"REV_TP60.QPV.QP096001.QP2015.{vintage}",
            "comparison_figure_id": f"REV_TP60.COM.96001.COG.{vintage}",
        }
        for vintage, value, status, other, other_status in COMPARISONS
    ]


def cells() -> list[Row]:
    """A cell with its key, a cell that no row holds, a cell that the producer left empty."""
    figure = "REV_TP60.QPV.QP096001.QP2015.2019"
    term: Row = {"variable": "tp60", "weight": 1.0, **CELL}
    reported = "A_IMM.QPV.QP096001.QP2015.2022"
    unit: Row = {"term": "960010101:iris_pop", "variable": "iris_pop", "weight": 0.25, **CELL, "source_row": 9}
    return [
        {"figure_id": reported, "role": "set_aside", **unit, "raw_value": "1200.0"},
        {"figure_id": "C2S_TX.QPV.QP096002.QP2015.2021", "role": "numerator", **term},
        {"figure_id": "REV_MED.QPV.QP096001.QP2015.2019", "role": "value", **term, "source_row": 4},
        {"figure_id": figure, "role": "key", **CELL, "source_row": 2, "raw_value": "QP096001"},
        {"figure_id": figure, "role": "value", **term, "source_row": 2, "raw_value": "46,8"},
    ]


def zone_cells() -> list[Row]:
    """Where a QPV is listed."""
    zone: Row = {"zone_level": "QPV", "zone_code": "QP096001", "generation": "QP2015"}
    return [{**zone, **CELL, "source_row": 2, "source_column": "CODE_QP", "raw_value": "QP096001"}]


def links() -> list[Row]:
    """An IRIS in a QPV and in its commune, one without a population, a building, and two generations of QPV."""
    iris: Row = {"from_level": "IRIS", "from_generation": "COG", "from_code": "960010101", "coverage": 0.8}
    qpv: Row = {"to_level": "QPV", "to_code": "QP096001", "to_generation": "QP2015"}
    commune: Row = {"to_level": "COM", "to_code": "96001", "to_generation": "COG", "basis": "nested", "weight": 1.0}
    new: Row = {"to_level": "QPV", "to_code": "QN09601X", "to_generation": "QN2024", "coverage": 0.9}
    old: Row = {"from_level": "QPV", "from_generation": "QP2015", "from_code": "QP096001", "basis": "area"}
    shared: Row = {"area_share": 0.2, "weight": 0.25, "population": 300.0, "basis": "population"}
    compared: Row = {"area_share": 0.9, "weight": 0.9, "population": 1080.0, "jaccard": 0.91, "comparable": True}
    building: Row = {"from_level": "LOGEMENT", "from_generation": "COG", "from_code": "b1", "coverage": 1.0}
    return [
        {**iris, **qpv, **shared},
        {**iris, **commune, "population": 1200.0},
        {**iris, **commune, "from_code": "960010102"},
        {**building, **qpv, "weight": 1.0, "basis": "dwellings"},
        {**old, **new, **compared, "statut": "modifié"},
        {**old, **new, **compared, "from_code": "QP096002"},
    ]


def errors() -> list[Row]:
    """The measured error of a count and of a rate."""
    measured: Row = {"family": "population", "method": "M2", "generation": "QP2015", "vintage": "2022", "zones": 2}
    gaps = dict.fromkeys(("bias", "mean_absolute_error", "root_mean_square_error", "error_q05", "error_q50"), 1.5)
    common: Row = {**measured, "coverage_class": "toutes", **gaps, "error_q95": 3.0}
    totals: Row = {"published_total": 2000.0, "estimated_total": 2003.0, "leave_one_out": 0.9}
    return [
        {"benchmark_code": "POP_2015", "libelle_fr": "Population", "nature": "count", **common, **totals},
        {"benchmark_code": "IMM_2024", "libelle_fr": "Part des immigrés", "nature": "rate", **common},
    ]


def zone_errors() -> list[Row]:
    """The same for one QPV."""
    compared: Row = {"published": 1000.0, "estimated": 1001.5, "error": 1.5, "coverage": 0.8, "coverage_class": "forte"}
    named: Row = {"nature": "count", "family": "population", "method": "M2", "vintage": "2022", "generation": "QP2015"}
    return [{"benchmark_code": "POP_2015", "libelle_fr": "Population", **named, "zone_code": "QP096001", **compared}]


def source_presence() -> list[Row]:
    """A source that is there, and one that waits for a convention."""
    absent: Row = {"present": False, "status": "convention", "reason_fr": "Fichier d’un partenaire, sous convention."}
    return [
        {"dataset": "insee_cnam_iris", "vintage": "2022", "present": True, "status": None, "reason_fr": None},
        {"dataset": "ors_sante_iris", "vintage": "2022", **absent},
    ]


def source_files(catalogue: dict[str, Dataset]) -> list[Row]:
    """Every file of the catalogue under the licence of most, as if it had been received."""
    licence = catalogue["insee_revn"].origin.licence
    return [
        {
            "dataset": dataset.id,
            "vintage": vintage.vintage,
            "file": file.name,
            "source_sha256": "ab" * 32,
            "name": f"{file.name}.csv",
            "size": 12,
            "url": f"demo:{file.name}",
            "fetched_at": "2026-01-01T00:00:00+00:00",
            "origin": "demo",
            "producer": dataset.origin.producer,
            "title": dataset.origin.title,
            "citation": dataset.origin.citation,
            "page": dataset.origin.page,
            "licence": dataset.origin.licence.name,
            "licence_url": dataset.origin.licence.url,
            "copy_of": "demo",
            "format": "csv",
            "encoding": "utf-8",
            "delimiter": ";",
            "header_row": 1,
            "rejects": 0,
        }
        for dataset in catalogue.values()
        if dataset.origin.licence == licence
        for vintage in dataset.vintages
        for file in vintage.files
    ]
