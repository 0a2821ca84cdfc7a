"""QPV perimeters of both generations, the 2024 digest of figures, and posts of the politique de la ville."""
# ruff: noqa: PLR2004 - thresholds of a third party file, ranks that carry its defects

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagster_project.demo_territory import names
from dagster_project.demo_territory.geometry import QPV_DECIMALS, Geometry, bow_tie, is_bow_tie, to_degrees
from dagster_project.demo_territory.income import Incomes
from dagster_project.demo_territory.population import Counts, Floats, Latent, beneficiaries, census, demo_rates, percent
from dagster_project.demo_territory.territory import Commune, Territory, fails_luhn, region_of, stream
from dagster_project.demo_territory.writers import csv_bytes, geojson, json_records, shapefile, words

FIELDS = (("CODE_QP", 8), ("NOM_QP", 254), ("COMMUNE_QP", 254))
# The real files' own texts: the Lambert-93 one names no authority.
WGS84_PRJ = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
LAMBERT_PRJ = (
    'PROJCS["RGF93_Lambert_93",GEOGCS["GCS_RGF_1993",DATUM["D_RGF_1993",SPHEROID["GRS_1980",6378137.0,'
    '298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",700000.0],'
    'PARAMETER["False_Northing",6600000.0],PARAMETER["Central_Meridian",3.0],PARAMETER["Standard_Parallel_1",44.0],'
    'PARAMETER["Standard_Parallel_2",49.0],PARAMETER["Latitude_Of_Origin",46.5],UNIT["Meter",1.0]]'
)
GEOGRAPHY_2015, DIGEST_YEAR = 2015, 2020
DIGEST_COLUMNS = words(
    "COG lib_com codeQPV lib_qp insee_reg lib_reg insee_dep lib_dep siren_epci lib_epci popMuniQPV indiceJeunesse "
    "partPopEt partPopImmi partMenImmi partMenEt partMen1p partMen2p partMen3p partMen45p partMen6pp nombre_menages "
    "nombre_logements_sociaux taux_logements_sociaux taux_d_emploi taux_pauvrete_60% personnes_couvertes_CAF "
    "allocataires_CAF RSA_socle"
)
CORRESPONDENCE_COLUMNS = (
    *("QP2024 ", " Label_QP2024", " Statut "),
    *(f" {name}_{rank} " for rank in (1, 2, 3) for name in ("QP2015", "Label_QP2015")),
)
STATUS = {"I": "Inchangé", "M": "Modifié", "N": "Nouveau"}
AMOUNTS = {2020: (19875.06, 7164), 2021: (20071.82, 7164), 2022: (21254, 7164)}


def perimeters_2015(territory: Territory, geometry: Geometry) -> dict[str, bytes]:
    """The two shapefiles of 2015; records are in no order, communes are those of 2015, by name only."""
    order = stream(territory.seed, "shapefile").permutation(len(territory.qpv2015))
    qpvs = [territory.qpv2015[rank] for rank in order]
    rows = [(qpv.code, qpv.name, ", ".join(c.name for c in territory.communes_of(qpv, GEOGRAPHY_2015))) for qpv in qpvs]
    metres = [geometry.qpv[qpv.code] for qpv in qpvs]
    found: dict[str, bytes] = {}
    for stem, rings, prj in (
        ("QP_METROPOLE_LB93", metres, LAMBERT_PRJ),
        ("QP_METROPOLEOUTREMER_WGS84_EPSG4326", to_degrees(metres, 9), WGS84_PRJ),
    ):
        parts = shapefile(rings, FIELDS, rows) | {"prj": prj.encode("ascii")}
        found |= {f"qpv/{stem}.{suffix}": content for suffix, content in parts.items()}
    return found


def perimeters_2024(territory: Territory, geometry: Geometry) -> bytes:
    """The GeoJSON of 2024: CRS84, 5 decimals, `fid` as a float, lists of communes joined by « , »."""
    rings = to_degrees([geometry.qpv[qpv.code] for qpv in territory.qpv2024], QPV_DECIMALS)
    features = []
    for rank, (qpv, ring) in enumerate(zip(territory.qpv2024, rings, strict=True), start=1):
        communes = territory.communes_of(qpv, 2024)
        shape = bow_tie(ring) if is_bow_tie(qpv) else ring
        points = np.vstack([shape, shape[:1]]).tolist()
        properties = {
            "fid": float(rank),
            "code_qp": qpv.code,
            "lib_qp": qpv.name,
            "insee_reg": communes[0].region,
            "lib_reg": names.REGIONS[communes[0].region],
            "insee_dep": communes[0].departement,
            "lib_dep": names.DEPARTEMENTS[communes[0].departement],
            "insee_com": ", ".join(commune.code for commune in communes),
            "lib_com": ", ".join(commune.name for commune in communes),
            "siren_epci": ", ".join(_sirens(communes)),
        }
        features.append((properties, {"type": "MultiPolygon", "coordinates": [[points]]}))
    title = "QP2024_France_Hexagonale_Outre_Mer_WGS84_ESPG4326"
    return geojson(features, name=title, crs="urn:ogc:def:crs:OGC:1.3:CRS84")


def _sirens(communes: tuple[Commune, ...]) -> list[str]:
    return sorted({commune.epci for commune in communes if commune.epci})


@dataclass
class Digest:
    """True values behind analyse_qpv.csv, by QPV of 2024."""

    territory: Territory
    truth: Counts

    def to_bytes(self) -> bytes:
        """A third party's file: comma, decimal point, numbers as floats, one line per commune of a QPV."""
        rows = []
        for rank, qpv in enumerate(self.territory.qpv2024):
            communes = self.territory.communes_of(qpv, 2024)
            sirens = _sirens(communes)
            lists = ["; ".join(sirens), "; ".join(self._epci_label(siren) for siren in sirens)]
            label = qpv.name.replace("œ", "oe").replace("’", "'").replace("–", "-")
            figures = [self._cell(name, rank) for name in DIGEST_COLUMNS[10:]]
            for commune in communes:
                region, departement = f"{float(commune.region)}", commune.departement
                place = [region, names.REGIONS[commune.region], departement, names.DEPARTEMENTS[departement]]
                rows.append([commune.code, commune.name, qpv.code, label, *place, *lists, *figures])
        return csv_bytes(DIGEST_COLUMNS, rows, separator=",", line_end="\n")

    def _epci_label(self, siren: str) -> str:
        nature, name = next((row[1], row[2]) for row in self.territory.epci if row[0] == siren)
        return name if nature == "METRO" else f"{names.EPCI_LONG[nature]} {name.removeprefix(nature).strip()}"

    def _cell(self, column: str, rank: int) -> str:
        value = self.truth[column][rank]
        if math.isnan(value) or self.hidden(column, rank):
            return ""
        if column == "popMuniQPV":
            return str(round(value))
        if column in {"nombre_menages", "nombre_logements_sociaux", "taux_pauvrete_60%"} or column.endswith("_CAF"):
            return f"{value:.0f}.0"
        if column == "RSA_socle":
            return f"{value:.0f}.0"
        text = repr(round(float(value), 2 if column == "taux_logements_sociaux" else 1))
        return text.removesuffix(".0") if column in {"partMen6pp", "taux_logements_sociaux"} else text

    def hidden(self, column: str, rank: int) -> bool:
        """Empty in the file: shares that stand on few persons, and poverty and housing of the smallest QPV."""
        people = self.truth["popMuniQPV"][rank]
        if column in {"indiceJeunesse", "partMen6pp"}:
            return bool(people < 1_100)
        return column in {"taux_pauvrete_60%", "taux_logements_sociaux"} and bool(people < 850)


def digest(territory: Territory, latent: Latent, incomes: Incomes) -> Digest:
    """True figures of the QPV of 2024."""
    sample = census(latent, DIGEST_YEAR, territory.seed, "QN2024")
    caf = beneficiaries(latent, DIGEST_YEAR, territory.seed, "QN2024")
    rng = stream(territory.seed, "social housing")
    social = np.rint(sample["MEN"] * np.clip(rng.normal(0.75, 0.2, len(sample["MEN"])), 0.15, 1.12))
    rates = demo_rates(sample)
    found = {
        "popMuniQPV": sample["POP"],
        "indiceJeunesse": rates["IND_JEUNE"],
        "partPopEt": rates["TX_TOT_ET"],
        "partPopImmi": percent(sample["IMMI"], sample["POP"]),
        "partMenImmi": percent(sample["MENIMMI"], sample["MEN"]),
        "partMenEt": percent(sample["MENET"], sample["MEN"]),
        "nombre_menages": sample["MEN"],
        "nombre_logements_sociaux": social,
        "taux_logements_sociaux": percent(social, sample["MEN"]),
        "taux_d_emploi": percent(sample["EMPL_F"] + sample["EMPL_H"], sample["1564_F"] + sample["1564_H"]),
        "taux_pauvrete_60%": poverty_rates(latent, incomes),
        "personnes_couvertes_CAF": caf["PERCOU"],
        "allocataires_CAF": caf["A"],
        "RSA_socle": caf["ARSAS"],
    }
    sizes = {"partMen1p": "MEN1", "partMen2p": "MEN2", "partMen3p": "MEN3", "partMen45p": "MEN45", "partMen6pp": "MEN6"}
    return Digest(territory, found | {name: percent(sample[key], sample["MEN"]) for name, key in sizes.items()})


def correspondence_csv(territory: Territory) -> bytes:
    """ANCT's list of QPV of 2024 with those of 2015 they continue, by name; its header cells carry spaces."""
    before = {qpv.code: qpv.name for qpv in territory.qpv2015}
    rows = [
        [qpv.code, qpv.name, STATUS[qpv.statut], qpv.parent or "", before.get(qpv.parent or "", ""), "", "", "", ""]
        for qpv in territory.qpv2024
    ]
    return csv_bytes(CORRESPONDENCE_COLUMNS, rows, bom=True)


def poverty_rates(latent: Latent, incomes: Incomes) -> Floats:
    """Share of persons under the poverty line of 2019, in percent, of the QPV of a generation."""
    spread, line = 0.415, math.log(incomes.poverty_line(2019))
    steps = (line - (9.53 - 0.075 * latent.poverty + 0.011 * 6)) / spread
    return np.array([50 * (1 + math.erf(step / math.sqrt(2))) for step in steps])


def posts(territory: Territory) -> dict[str, bytes]:
    """Adultes-relais and FONJEP posts 2020-2022 by contrat de ville, with repeated identifiers and missing places."""
    rng = stream(territory.seed, "posts")
    departements = list(names.DEPARTEMENTS)
    found = {}
    for year, (relay, fonjep) in AMOUNTS.items():
        first: list[dict[str, Any]] = []
        second: list[dict[str, Any]] = []
        for rank in range(36 + 3 * (year - 2020)):
            departement = departements[rank % 3]
            place = {"insee_dep": departement, "insee_reg": region_of(departement)}
            contract = "CV901CV902" if rank == 7 else f"CV9{1 + rank % 6:02d}"
            tiers = names.TIERS[int(rng.integers(len(names.TIERS)))]
            key = f"0{departement}19R{rank // 3:04d}00" if rank != 5 else f"0{departement}19R000000"
            record = {"id_poste": key, "code_tiers": _siret(rank), "raison_sociale": tiers, "annee": year}
            record |= {"montant": relay, "code_cv": contract}
            first.append(record if rank == 11 else record | place)  # as the real ones: no place at all
            if rank % 3:
                key = "F90001" if rank in (4, 8) else f"D9{rank:04d}"
                amount = fonjep // 2 if rank == 10 else fonjep
                half: dict[str, Any] = {
                    "id_poste": key,
                    "code_tiers": tiers,
                    "raison_sociale": tiers,
                    "montant": amount,
                }
                second.append(half | {"annee": year, "code_cv": contract} | place)
        found[f"qpv/adulte-relais-{year}.json"] = json_records(first)
        found[f"qpv/postes-fonjep-{year}.json"] = json_records(second)
    return found


def _siret(rank: int) -> str:
    stem = f"999{rank:06d}0001"
    return next(f"{stem}{digit}" for digit in range(10) if fails_luhn(f"{stem}{digit}"))
