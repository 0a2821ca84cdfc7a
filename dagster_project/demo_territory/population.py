"""True inhabitants, households and beneficiaries of each QPV, as whole persons whose parts add up to totals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dagster_project.demo_territory import names
from dagster_project.demo_territory.territory import Qpv, Territory, stream

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Counts = dict[str, Floats]

# Censuses behind each edition: population, then shares (INSEE renews the two at different dates).
POP_CENSUS = {2017: 2013, 2018: 2013, 2019: 2013, 2020: 2013, 2021: 2018}
SHARE_CENSUS = {2017: 2012, 2018: 2012, 2019: 2015, 2020: 2016, 2021: 2017}


@dataclass(frozen=True)
class Latent:
    """What the QPV of one generation are like; every published figure follows from it. One entry per QPV."""

    households: Floats  # in 2013
    growth: Floats  # per year
    poverty: Floats  # standard scale, higher is poorer
    family: Floats  # standard scale, higher is younger with larger households
    foreign: Floats  # share of foreigners


def latents(territory: Territory) -> dict[str, Latent]:
    """Hidden characters by generation: a QPV that continues keeps its own, resized when its perimeter changed."""
    rng = stream(territory.seed, "latents")
    old = _draw(territory.qpv2015, rng)
    rank = {qpv.code: number for number, qpv in enumerate(territory.qpv2015)}
    fresh = _draw(territory.qpv2024, rng)
    rows = [rank.get(qpv.parent or "", -1) for qpv in territory.qpv2024]
    kept = np.array([row >= 0 for row in rows])
    modified = np.array([qpv.statut == "M" for qpv in territory.qpv2024])
    resize = np.where(modified, rng.uniform(0.85, 1.2, len(rows)), 1.0)

    def follow(name: str) -> Floats:
        values: Floats = np.where(kept, getattr(old, name)[rows], getattr(fresh, name))
        return values

    households = follow("households") * resize
    new = Latent(households, follow("growth"), follow("poverty"), follow("family"), follow("foreign"))
    return {"QP2015": old, "QN2024": new}


def _draw(qpvs: tuple[Qpv, ...], rng: np.random.Generator) -> Latent:
    count = len(qpvs)
    # A QPV stays under half of its commune: the smallest commune that has one holds 13,600 inhabitants.
    ceiling = np.where([qpv.slots > LONE_TOWN for qpv in qpvs], 3_600, 2_300)
    households = np.clip(np.exp(rng.normal(6.95, 0.55, count)), 320, ceiling)
    small = np.array([qpv.name in _SMALL for qpv in qpvs])
    large = np.array([qpv.name in _LARGE for qpv in qpvs])
    households = np.where(small, np.minimum(households, 335), households)
    poverty = rng.normal(0, 1, count)
    return Latent(
        households=np.where(large, np.maximum(households, 4_300), households),
        growth=rng.normal(0.001, 0.008, count),
        poverty=poverty,
        family=0.5 * poverty + rng.normal(0, 0.9, count),
        foreign=np.clip(np.exp(rng.normal(-1.75, 0.55, count) + 0.2 * poverty), 0.03, 0.5),
    )


# Large enough for every table to need a separator of thousands.
_LARGE = frozenset({"Tour D'Amer – Kerouédic", "Plateau Des Alouvelles"})

# Communes with more QPV than this are cities.
LONE_TOWN = 3

# Small enough for statistical secrecy to bite.
_SMALL = frozenset({"Bas Quartier Saint-Thurvin", names.DROPPED_2024, "Grand Ambre"})


def split(total: Ints, weights: Floats) -> Ints:
    """Share whole totals among columns in proportion to weights; each row adds up to its total exactly."""
    exact = total[:, None] * (weights / weights.sum(axis=1, keepdims=True))
    parts = np.floor(exact).astype(np.int64)
    missing = total - parts.sum(axis=1)
    order = np.argsort(parts - exact, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
    shared: Ints = parts + (rank < missing[:, None])
    return shared


def shares(rng: np.random.Generator, base: list[float], tilt: Floats, slopes: list[float], noise: float) -> Floats:
    """Weights around `base`, tilted by a character of each QPV, with its own noise."""
    drift = tilt[:, None] * np.array(slopes)
    weights: Floats = np.array(base) * np.exp(drift + rng.normal(0, noise, (len(tilt), len(base))))
    return weights


def part(total: Ints, rate: Floats | float) -> Ints:
    """A whole number of persons out of a total."""
    whole: Ints = np.rint(total * np.clip(rate, 0, 1)).astype(np.int64)
    return whole


def census(latent: Latent, year: int, seed: int, generation: str) -> Counts:
    """Persons and households of a census year, by the names used in `demo_table` and `jobs_table`."""
    # Characters of a QPV change slowly: the noise of a QPV is the same every year, only trends move.
    rng = stream(seed, f"census {generation}")
    households = np.rint(latent.households * (1 + latent.growth) ** (year - 2013)).astype(np.int64)
    ageing = latent.family - 0.03 * (year - 2013)
    sizes = split(
        households, shares(rng, [0.39, 0.24, 0.14, 0.12, 0.07, 0.04], ageing, [-0.2, -0.1, 0.05, 0.2, 0.3, 0.5], 0.05)
    )
    in_households = sizes @ np.arange(1, 7) + part(sizes[:, 5], 0.7)
    people = in_households + part(in_households, 0.02)
    women = part(people, 0.525 + rng.normal(0, 0.012, len(people)))
    bands = {}
    for sex, total, slopes in (
        ("F", women, [0.25, 0.2, 0.1, 0.0, -0.2, -0.35]),
        ("H", people - women, [0.25, 0.2, 0.1, 0.0, -0.2, -0.3]),
    ):
        base = [0.215, 0.065, 0.07, 0.45, 0.06, 0.14] if sex == "F" else [0.24, 0.07, 0.075, 0.465, 0.05, 0.1]
        bands[sex] = split(total, shares(rng, base, ageing, slopes, 0.06))
    foreign = np.clip(latent.foreign * 1.025 ** (year - 2013), 0, 0.6)
    counts = {"POP": people, "F": women, "MEN": households, "MEN1": sizes[:, 0], "MEN6": sizes[:, 5]}
    counts |= {"IMMI": part(people, foreign * 1.25 + 0.02), "MEN2": sizes[:, 1], "MEN3": sizes[:, 2]}
    counts["MEN45"] = sizes[:, 3] + sizes[:, 4]
    for sex in ("F", "H"):
        band = bands[sex]
        counts |= {f"0A24_{sex}": band[:, :3].sum(axis=1), f"0A19_{sex}": band[:, :2].sum(axis=1)}
        counts |= {f"60P_{sex}": band[:, 4:].sum(axis=1), f"1564_{sex}": band[:, 1:5].sum(axis=1)}
        counts[f"ET_{sex}"] = part(women if sex == "F" else people - women, foreign * (0.96 if sex == "F" else 1.05))
    counts["MENET"] = part(households, foreign * 0.8)
    counts["MENIMMI"] = part(households, foreign * 1.1 + 0.02)
    return {name: values.astype(np.float64) for name, values in counts.items()} | _work(counts, latent, year, rng)


def _work(counts: dict[str, Ints], latent: Latent, year: int, rng: np.random.Generator) -> Counts:
    """Employment of 15-64, by sex and for foreigners, and the precarious part of it."""
    found: dict[str, Ints] = {}
    rate = 0.47 - 0.05 * latent.poverty - 0.004 * (year - 2013)
    for sex, gap in (("F", -0.05), ("H", 0.05)):
        found[f"EMPL_{sex}"] = part(counts[f"1564_{sex}"], rate + gap + rng.normal(0, 0.015, len(rate)))
        found[f"PREC_{sex}"] = part(found[f"EMPL_{sex}"], 0.22 + 0.02 * latent.poverty + rng.normal(0, 0.02, len(rate)))
    found["1564_ET"] = part(counts["ET_F"] + counts["ET_H"], 0.74)
    found["EMPL_ET"] = part(found["1564_ET"], rate - 0.06)
    found["PREC_ET"] = part(found["EMPL_ET"], 0.26 + rng.normal(0, 0.03, len(rate)))
    return {name: values.astype(np.float64) for name, values in found.items()}


def totals(counts: Counts, rows: Bools, counted: Bools | None = None) -> Counts:
    """Counts of the QPV in `rows` and, last, their sum over those `counted` (INSEE's « Ensemble »; default: rows)."""
    summed = rows if counted is None else rows & counted
    return {name: np.append(values[rows], values[summed].sum()) for name, values in counts.items()}


def percent(numerator: Floats, denominator: Floats) -> Floats:
    result: Floats = 100 * numerator / denominator
    return result


def demo_rates(counts: Counts) -> Counts:
    """Shares of the table « Démographie », in percent; IND_JEUNE is a ratio (under 20 over 60 and more)."""
    young, old = counts["0A24_F"] + counts["0A24_H"], counts["60P_F"] + counts["60P_H"]
    return {
        "TX_F": percent(counts["F"], counts["POP"]),
        "TX_TOT_0A24": percent(young, counts["POP"]),
        "TX_F_0A24": percent(counts["0A24_F"], counts["F"]),
        "TX_TOT_60ETPLUS": percent(old, counts["POP"]),
        "TX_F_60ETPLUS": percent(counts["60P_F"], counts["F"]),
        "IND_JEUNE": (counts["0A19_F"] + counts["0A19_H"]) / old,
        "TX_TOT_MEN1": percent(counts["MEN1"], counts["MEN"]),
        "TX_TOT_MEN6": percent(counts["MEN6"], counts["MEN"]),
        "TX_TOT_ET": percent(counts["ET_F"] + counts["ET_H"], counts["POP"]),
        "TX_F_ET": percent(counts["ET_F"], counts["F"]),
    }


def beneficiaries(latent: Latent, year: int, seed: int, generation: str) -> Counts:
    """CAF and CNAM counts at 31 December of a year, under the producers' column names."""
    people = census(latent, year, seed, generation)
    rng = stream(seed, f"beneficiaries {generation}")
    count = len(latent.poverty)
    households, pop = people["MEN"].astype(np.int64), people["POP"].astype(np.int64)
    recipients = part(households, 0.56 + 0.05 * latent.poverty + 0.005 * (year - 2016))
    kinds = split(
        recipients, shares(rng, [0.44, 0.2, 0.07, 0.29], latent.family, [-0.2, 0.1, -0.05, 0.25], 0.06)
    )  # alone, lone parents, couples without and with children
    large = part(kinds[:, 3], 0.4 + 0.04 * latent.family)
    children = part(kinds[:, 1] * 10, 0.185) + part(kinds[:, 3] * 10, 0.235)
    ages = split(children, shares(rng, [0.165, 0.162, 0.26, 0.187, 0.126, 0.1], latent.family, [0.0] * 6, 0.05))
    half = part(recipients, 0.43 + 0.05 * latent.poverty)
    covered = part(pop, 0.93 + rng.normal(0, 0.012, count))
    found = {
        "A": recipients,
        "PERCOU": kinds[:, 0] + kinds[:, 1] + 2 * (kinds[:, 2] + kinds[:, 3]) + children,
        "AI": kinds[:, 0],
        "AM": kinds[:, 1],
        "ACSSENF": kinds[:, 2],
        "ACAVENF": kinds[:, 3],
        "AC3ENF": large,
        "A_NETUD_24": part(recipients, 0.05 + rng.normal(0, 0.008, count)),
        "A_ETUD": part(recipients, np.exp(rng.normal(-4.3, 0.9, count))),
        "ENF": children,
        "APRES50": half,
        "APRES100": part(half, 0.61 + 0.02 * latent.poverty),
        "ARSA": part(recipients, 0.36 + 0.04 * latent.poverty),
        "ARSAS": part(recipients, 0.28 + 0.035 * latent.poverty - 0.005 * (year - 2016)),
        "APPA": part(recipients, 0.22 + 0.02 * (year - 2016) + rng.normal(0, 0.015, count)),
        "AAAH": part(recipients, 0.11 + rng.normal(0, 0.015, count)),
        "C": covered,
        "CCMUC": part(covered, 0.245 + 0.045 * latent.poverty + 0.006 * (year - 2016)),
    }
    for number, name in enumerate(("ENF_2", "ENF_3_5", "ENF_6_10", "ENF_11_14", "ENF_15_17", "ENF_18_24")):
        found[name] = ages[:, number]
    return {name: values.astype(np.float64) for name, values in found.items()}
