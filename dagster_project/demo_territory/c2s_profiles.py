"""Eligible persons and beneficiaries of the C2S by household profile, under the rules of the convention, and the truth.

The persons are those of the demonstration; who is entitled and who takes it up is drawn here, apart from other files.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.persons import ALONE_TOGETHER, LONE, LONE_PARENT, WITH_CHILDREN
from dagster_project.demo_territory.population import Floats, Ints
from dagster_project.demo_territory.secrecy import least_shown
from dagster_project.demo_territory.territory import stream
from dagster_project.demo_territory.truth import FOLDER
from dagster_project.demo_territory.writers import csv_bytes, words

PATH, TRUTH_PATH = "health/c2s_profils_partenaire.csv", f"{FOLDER}/non_recours_profils.csv"
COLUMNS = words("code_zone generation annee type_menage tranche_age statut_occupation n_eligibles n_beneficiaires")
TRUTH_COLUMNS = words("term modality coefficient")
GENERATION, YEAR = "QP2015", "2021"
HIDDEN = "ns"
ADULT, SENIOR, GROWN = 18, 60, 25
TYPES = words("seul couple_sans_enfant couple_avec_enfants monoparental autre")
AGES = words("moins_18 18_59 60_plus")
TENURES = words("social prive proprietaire autre")
PROFILES = tuple(product(TYPES, AGES, TENURES))
LODGED = 0.3  # share of private tenants who are in fact lodged for nothing
ENTITLED = {True: 0.92, False: 0.3}  # households under the poverty line, and above it
# Take-up, on the logit scale; the first of each is the reference of the model.
CONSTANT = 0.55
EFFECTS = {
    "type_menage": {
        "seul": 0.0,
        "couple_sans_enfant": -0.25,
        "couple_avec_enfants": 0.2,
        "monoparental": 0.45,
        "autre": -0.35,
    },
    "tranche_age": {"18_59": 0.0, "moins_18": 0.3, "60_plus": -0.6},
    "statut_occupation": {"social": 0.0, "prive": -0.4, "proprietaire": -0.9, "autre": -0.5},
}
ZONE_SD = 0.3


def files(dwellings: Dwellings) -> dict[str, bytes]:
    """The partner's file and non_recours_profils.csv: effects on the logit of take-up, of profiles and of each QPV."""
    rng = stream(dwellings.territory.seed, "c2s profiles")
    codes = [qpv.code for qpv in dwellings.territory.qpv2015]
    of_zone = ZONE_SD * rng.normal(0, 1, len(codes))
    eligible = _eligible(rng, dwellings, len(codes))
    take_up = 1 / (1 + np.exp(-(CONSTANT + of_zone[:, None] + _of_profiles()[None, :])))
    beneficiaries = rng.binomial(eligible, take_up)
    least = least_shown("partenaire_c2s_profils")
    rows = [
        [code, GENERATION, YEAR, *profile, *(_shown(int(counts[z, p]), least) for counts in (eligible, beneficiaries))]
        for z, code in enumerate(codes)
        for p, profile in enumerate(PROFILES)
    ]
    truth = [["constante", "constante", f"{CONSTANT:.6f}"]]
    truth += [[term, name, f"{effect:.6f}"] for term, effects in EFFECTS.items() for name, effect in effects.items()]
    truth += [["zone", code, f"{effect:.6f}"] for code, effect in zip(codes, of_zone.tolist(), strict=True)]
    return {PATH: csv_bytes(COLUMNS, rows), TRUTH_PATH: csv_bytes(TRUTH_COLUMNS, truth, separator=",", line_end="\n")}


def _eligible(rng: np.random.Generator, dwellings: Dwellings, zones: int) -> Ints:
    """Persons entitled to the C2S by QPV and profile: a household is entitled or not as a whole."""
    homes, everyone = dwellings.households, dwellings.persons
    count = len(homes.poor)
    entitled = rng.random(count) < np.where(homes.poor, ENTITLED[True], ENTITLED[False])
    lodged = rng.random(count) < LODGED
    tenure = np.select([homes.social, homes.owner, lodged], [0, 2, 3], 1)
    young = everyone.child & (everyone.age < GROWN)
    children = np.bincount(everyone.household[young], minlength=count) > 0
    family = everyone.family
    kinds = [family == LONE, family == ALONE_TOGETHER, (family == WITH_CHILDREN) & children]
    kind = np.select([*kinds, (family == LONE_PARENT) & children], [0, 1, 2, 3], 4)
    age = np.digitize(everyone.age, [ADULT, SENIOR])
    home = everyone.household
    profile = (kind[home] * len(AGES) + age) * len(TENURES) + tenure[home]
    zone = dwellings.qp2015[dwellings.settlement.home][home]
    held = (zone >= 0) & entitled[home]
    place = zone[held] * len(PROFILES) + profile[held]
    return np.bincount(place, minlength=zones * len(PROFILES)).reshape(zones, len(PROFILES))


def _of_profiles() -> Floats:
    return np.array(
        [sum(effects[name] for effects, name in zip(EFFECTS.values(), one, strict=True)) for one in PROFILES]
    )


def _shown(count: int, least: int) -> str:
    return HIDDEN if 0 < count < least else str(count)
