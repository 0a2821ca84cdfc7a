"""An invented nation for the benchmark of non-take-up: what other models of dbt hand over to those of the theme."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

YEAR, EDITIONS, CMUC = "2018", ("2021", "2022"), ("2017", "2018", "2019")
NATION = ("FRM", "FRM", "COG")
QUANTILES = {
    **{f"FILO_D{rank}": rank / 10 for rank in (1, 2, 3, 4, 6, 7, 8, 9)},
    "FILO_Q1": 0.25,
    "FILO_MED": 0.5,
    "FILO_Q3": 0.75,
}
MARGINS = {"DEM_MEN1": (30, 50), "DEM_MEN6": (2, 9), "DEM_MOINS25": (28, 45), "DEM_60PLUS": (12, 28)}
RATES = ("C_TX_C2S", "A_C2SNP", "C_TX_P", "C_TX_NP_J", "C_TX_NP_S")
SHARES = (1.0, 0.8, 0.2, 0.35, 0.1)  # of all beneficiaries
Floats = npt.NDArray[np.float64]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Nation:
    """How many zones of each level; communes are those of more than 10,000 people, which alone have IRIS counts."""

    qpv: int
    communes: int
    epci: int
    departements: int = 96

    @property
    def zones(self) -> int:
        """QPV, the rest of their communes, communes and EPCI."""
        return self.qpv + self.hosts + self.communes + self.epci

    @property
    def hosts(self) -> int:
        """Communes that have QPV."""
        return max(1, self.qpv * 55 // 100)


SIZES = {"france": Nation(1_514, 1_050, 1_240), "small": Nation(40, 30, 10)}


def write_nation(nation: Nation, path: Path) -> None:
    """A warehouse with the tables that the models of the theme read, named as dbt names them."""
    with duckdb.connect(str(path)) as connection:
        for name, columns in _tables(nation).items():
            schema = name.partition(".")[0]
            table = pa.table(columns)
            connection.execute(f"create schema if not exists {schema}")
            connection.register("handed", table)
            connection.execute(f"create table {name} as from handed")
            connection.unregister("handed")


def _tables(nation: Nation) -> dict[str, dict[str, Any]]:
    random = np.random.default_rng(20231124)
    communes = [f"{1 + rank % nation.departements:02d}{rank:03d}" for rank in range(nation.communes)]
    host = [communes[rank % min(nation.hosts, nation.communes)] for rank in range(nation.qpv)]
    qpv = [("QPV", f"QP{rank:06d}", "QP2015") for rank in range(nation.qpv)]
    rest = [("HQPV", code, "QP2015") for code in sorted(set(host))]
    towns = [("COM", code, "COG") for code in communes]
    epci = [("EPCI", f"2{rank:08d}", "COG") for rank in range(nation.epci)]
    keys = [*qpv, *rest, *towns, *epci, NATION]
    people = np.concatenate(
        [
            random.integers(1_000, 9_000, len(qpv)),
            random.integers(8_000, 90_000, len(rest)),
            random.integers(60_000, 250_000, len(towns)),
            random.integers(20_000, 300_000, len(epci)),
            [66_330_502],
        ]
    ).astype(np.int64)
    where = [[code] for code in host] + [[code] for _, code, _ in (*rest, *towns)] + [[] for _ in range(len(epci) + 1)]
    level = np.concatenate(
        [
            random.normal(9.47, 0.09, len(qpv)),
            np.full(len(rest), np.nan),
            random.normal(9.98, 0.07, len(towns)),
            random.normal(9.99, 0.06, len(epci)),
            [9.99],
        ]
    )
    own = [rank for rank, key in enumerate(keys) if key[0] != "HQPV"]
    counted = [rank for rank, key in enumerate(keys) if key[0] not in ("FRM",)]
    return {
        "marts.dim_zone": _keys(keys) | {"population": people, "communes": pa.array(where, pa.list_(pa.string()))},
        "marts.crosswalk": {
            "from_level": ["IRIS"] * nation.qpv,
            "from_code": [f"{code}0101" for code in host],
            "to_level": ["QPV"] * nation.qpv,
            "to_code": [code for _, code, _ in qpv],
            "to_generation": ["QP2015"] * nation.qpv,
            "population": people[: nation.qpv].astype(float),
        },
        "intermediate.int_zones__iris": {
            "iris_code": [f"{code}0101" for code in communes],
            "commune_code": communes,
        },
        "intermediate.int_indicateurs__revenus": _quantiles([keys[rank] for rank in own], level[own], random),
        "intermediate.int_indicateurs__population": _margins(qpv, random),
        "intermediate.int_indicateurs__couverture": _published(qpv, people[: nation.qpv], random),
        "intermediate.int_indicateurs__sante_crosswalk": _brought(
            [keys[rank] for rank in counted], people[counted], random
        ),
        "intermediate.int_crosswalk__intervalles": _intervals(qpv, random),
        "intermediate.int_indicateurs__absents": _figures([], "C_TX_C2S", "2022", np.array([]), np.array([])),
        "staging.stg_drees__c2s_national": {
            "vintage": [vintage for vintage in EDITIONS for _ in range(3)],
            "mesure": ["total", "np", "p"] * len(EDITIONS),
            "beneficiaires": [7.1e6, 5.7e6, 1.4e6] * len(EDITIONS),
            "non_recours": [44.0, 31.0, 67.0] * len(EDITIONS),
            "population": [66_330_502.0] * 3 * len(EDITIONS),
            "source": ["repère d’essai"] * 3 * len(EDITIONS),
            "source_sha256": ["0" * 64] * 3 * len(EDITIONS),
            "source_member": pa.nulls(3 * len(EDITIONS), pa.string()),
            "source_row": list(range(3 * len(EDITIONS))),
        },
    }


def _keys(keys: list[Key]) -> dict[str, Any]:
    columns = list(zip(*keys, strict=True)) or [(), (), ()]
    names = ("zone_level", "zone_code", "generation")
    return {name: pa.array(list(column), pa.string()) for name, column in zip(names, columns, strict=True)}


def _quantiles(keys: list[Key], level: Floats, random: np.random.Generator) -> dict[str, Any]:
    spread = random.normal(0.44, 0.03, len(keys))
    parts = []
    for code, order in QUANTILES.items():
        income = np.round(np.exp(level + spread * NormalDist().inv_cdf(order)) / 10) * 10
        parts.append(pa.table(_keys(keys) | {"indicator_code": [code] * len(keys), "value": income}))
    table = pa.concat_tables(parts)
    return {name: table[name] for name in table.column_names} | {
        "vintage": [YEAR] * table.num_rows,
        "status": ["ok"] * table.num_rows,
    }


def _margins(qpv: list[Key], random: np.random.Generator) -> dict[str, Any]:
    parts = [
        pa.table(
            _keys(qpv)
            | {"indicator_code": [code] * len(qpv), "vintage": ["2021"] * len(qpv)}
            | {"value": random.uniform(low, high, len(qpv))}
        )
        for code, (low, high) in MARGINS.items()
    ]
    table = pa.concat_tables(parts)
    return {name: table[name] for name in table.column_names}


def _published(qpv: list[Key], people: npt.NDArray[np.int64], random: np.random.Generator) -> dict[str, Any]:
    tables = [pa.table(_figures(qpv, "CMUC_NB", vintage, people * 0.25, np.full(len(qpv), np.nan))) for vintage in CMUC]
    covered = np.round(people * 0.95)
    helped = np.round(covered * random.uniform(0.18, 0.36, len(qpv)))
    tables.append(pa.table(_figures(qpv, "C2S_TX", "2021", helped, covered)))
    table = pa.concat_tables(tables)
    return {name: table[name] for name in table.column_names}


def _brought(keys: list[Key], people: npt.NDArray[np.int64], random: np.random.Generator) -> dict[str, Any]:
    covered = np.round(people * 0.95)
    rate = np.where([key[0] == "QPV" for key in keys], 0.27, 0.09) * random.uniform(0.7, 1.3, len(keys))
    tables = [
        pa.table(_figures(keys, code, "2022", np.round(covered * rate * share), covered))
        for code, share in zip(RATES, SHARES, strict=True)
    ]
    table = pa.concat_tables(tables)
    return {name: table[name] for name in table.column_names}


def _intervals(qpv: list[Key], random: np.random.Generator) -> dict[str, Any]:
    low = random.uniform(15, 25, len(qpv))
    tables = [
        pa.table(
            _keys(qpv)
            | {"indicator_code": [code] * len(qpv), "vintage": ["2022"] * len(qpv)}
            | {"ci_low": share * low, "ci_high": share * (low + 12)}
        )
        for code, share in zip(RATES, SHARES, strict=True)
    ]
    table = pa.concat_tables(tables)
    return {name: table[name] for name in table.column_names}


def _figures(keys: list[Key], code: str, vintage: str, above: Floats, below: Floats) -> dict[str, Any]:
    count = len(keys)
    same = {"indicator_code": code, "vintage": vintage, "status": "ok", "dataset": "insee_cnam_iris"}
    return {
        **_keys(keys),
        **{name: pa.array([text] * count, pa.string()) for name, text in same.items()},
        "value": pa.array(100 * above / below, pa.float64(), from_pandas=True),
        "numerator": pa.array(above, pa.float64(), from_pandas=True),
        "denominator": pa.array(below, pa.float64(), from_pandas=True),
        "coverage": [1.0] * count,
    }
