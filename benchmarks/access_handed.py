"""What other steps hand over to dbt's models of access to work, for the invented region, as they would write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.access_region import DEPARTEMENT, Layout, Region, degrees, write_tables
from dagster_project.demo_territory.secrecy import least_shown

EPCI, EDITION, DAY = "243500139", "2024", "2024-06-15"
HANDED = "handed"


def write_handed(region: Region, folder: Path) -> None:
    """Tables of dbt named `schema.relation`, in the folder `handed`; offers seen among the derived tables."""
    write_tables(_handed(region, Layout(region)), folder / HANDED)
    write_tables({"offres_vues": _seen(region)}, folder / "derived")


def _handed(region: Region, where: Layout) -> dict[str, dict[str, Any]]:
    codes = [f"{'ABCDEFGHIJKLMN'[rank % 14]}{1000 + rank}" for rank in range(region.occupations)]
    zones = where.zone_columns()
    homes = [[where.communes[rank % len(where.communes)]] for rank in range(region.zones)]
    people = region.random(6).integers(1_000, 6_000, region.zones)
    return {
        "marts.dim_zone": zones
        | {
            "communes": pa.array(homes, pa.list_(pa.string())),
            "epci": [EPCI] * region.zones,
            "departement": [DEPARTEMENT] * region.zones,
            "population": people,
        },
        "intermediate.int_indicateurs__emploi": zones
        | {
            "indicator_code": ["DE_ABC"] * region.zones,
            "vintage": [EDITION] * region.zones,
            "value": people / 10,
            "status": ["ok"] * region.zones,
        },
        "staging.stg_francetravail__rome": {
            "code_rome": codes,
            "rome_version": ["v3"] * len(codes),
            "code_parent_v3": codes,
        },
        "staging.stg_francetravail__offres": _offers(region, where, codes, region.offers, "francetravail"),
        "staging.stg_partenaire__offres": _offers(region, where, codes, 0, "partenaire"),
        "staging.stg_partenaire__demande_rome": _demand(region, where, codes),
        "staging.stg_francetravail__marche": _market(region, where, codes),
        "staging.stg_insee__iris_synthese": {
            "zone_code": where.iris,
            "vintage": [EDITION] * region.workplaces,
            "ze2020": [f"53{10 + rank % 4}.0" for rank in range(region.workplaces)],
        },
        "staging.stg_insee__parts_modales": zones
        | {"vintage": ["2021"] * region.zones, "part_menages_motorises": np.full(region.zones, 60.0)},
        "intermediate.observation": _employers(region, where),
    }


def _offers(region: Region, where: Layout, codes: list[str], count: int, source: str) -> dict[str, Any]:
    """Offers at the point of their commune: a few places have many, most have few."""
    random = region.random(7)
    place = np.minimum(random.pareto(1.0, count) * region.places / 20, region.places - 1).astype(int)
    lon, lat = degrees(where.offers[place]).T
    words = np.array(["magasinier", "aide à domicile", "cuisinier", "comptable", "soudeur", "infirmier"])
    titles = [f"{word} {number}" for word, number in zip(words[place % 6], random.integers(0, 999, count), strict=True)]
    created = np.datetime64(DAY) - random.integers(0, 60, count)
    return {
        "dataset": pa.array([f"{source}_offres"] * count, pa.string()),
        "colonne_postes": pa.array(["nombrePostes"] * count, pa.string()),
        "offre_id": _offer_ids(count),
        "source": pa.array([source] * count, pa.string()),
        "code_rome": pa.array([codes[rank] for rank in random.integers(0, len(codes), count)], pa.string()),
        "rome_version": pa.array(["v3"] * count, pa.string()),
        "intitule": pa.array(titles, pa.string()),
        "nb_postes": pa.array(random.integers(1, 4, count), pa.int32()),
        "type_contrat": pa.array(["CDI"] * count, pa.string()),
        "commune": pa.array([where.communes[rank] for rank in place], pa.string()),
        "lon": lon,
        "lat": lat,
        "precision": pa.array(["commune"] * count, pa.string()),
        "date_creation": pa.array(created.astype("datetime64[D]"), pa.date32()),
        "date_fin": pa.nulls(count, pa.date32()),
        "entreprise": pa.array([f"SOCIETE {rank}" for rank in random.integers(0, 5_000, count)], pa.string()),
        "vintage": pa.array([EDITION] * count, pa.string()),
        **_lineage(count),
    }


def _offer_ids(count: int) -> pa.Array:
    return pa.array([f"{rank:07}" for rank in range(count)], pa.string())


def _seen(region: Region) -> dict[str, Any]:
    """Every offer was received on one day, and may still be open."""
    day = pa.array(np.full(region.offers, np.datetime64(DAY)), pa.date32())
    return {
        "offre_id": _offer_ids(region.offers),
        "departement": [DEPARTEMENT] * region.offers,
        "premiere_vue": day,
        "derniere_vue": day,
        "disparue_le": pa.nulls(region.offers, pa.date32()),
    }


def _demand(region: Region, where: Layout, codes: list[str]) -> dict[str, Any]:
    seekers = region.random(8).integers(0, 40, region.zones * len(codes))
    count = len(seekers)
    hidden = (seekers > 0) & (seekers < least_shown("partenaire_demande_rome"))
    return {
        "code_qpv": np.repeat(where.zones, len(codes)).tolist(),
        "generation": ["QN2024"] * count,
        "code_rome": codes * region.zones,
        "categorie": ["ABC"] * count,
        "n_demandeurs": pa.array(seekers, pa.int32(), mask=hidden),
        "masque": hidden,
        "date_obs": pa.array(np.full(count, np.datetime64(DAY)), pa.date32()),
    }


def _market(region: Region, where: Layout, codes: list[str]) -> dict[str, Any]:
    communes = sorted(set(where.communes))
    count = len(communes) * len(codes)
    return {
        "code_type_territoire": ["COM"] * count,
        "code_territoire": np.repeat(communes, len(codes)).tolist(),
        "code_rome": codes * len(communes),
        "periode": [f"{EDITION}-T2"] * count,
        "n_demandeurs": pa.array(region.random(9).integers(0, 200, count), pa.int32()),
    }


def _employers(region: Region, where: Layout) -> dict[str, Any]:
    employers = region.random(10).integers(1, 60, region.workplaces)
    same = dict.fromkeys(("source_column", "key_column"), "texte") | {
        "zone_level": "IRIS",
        "vintage": EDITION,
        "variable": "iris_employeurs",
        "dataset": "insee_iris_synthese",
    }
    return {
        **{name: [text] * region.workplaces for name, text in same.items()},
        "zone_code": where.iris,
        "value": employers.astype(float),
        "raw_value": employers.astype(str).tolist(),
        "key_value": where.iris,
        "correction_id": pa.nulls(region.workplaces, pa.string()),
        **_lineage(region.workplaces),
    }


def _lineage(count: int) -> dict[str, Any]:
    return {
        "source_sha256": pa.array(["0" * 64] * count, pa.string()),
        "source_member": pa.array(["fichier"] * count, pa.string()),
        "source_row": pa.array(np.arange(count), pa.int64()),
    }
