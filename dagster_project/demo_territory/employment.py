"""True job seekers and helped contracts of each QPV, by sex first so that both sexes add up to every total."""

from __future__ import annotations

import numpy as np

from dagster_project.demo_territory.population import Counts, Floats, Ints, Latent, census, part, percent, shares, split
from dagster_project.demo_territory.territory import stream

# Rates of job seekers ABC among 15-64 at 31 December, and helped contracts per 1,000 of them.
ABC_RATE = {2015: 0.192, 2016: 0.194, 2017: 0.197, 2018: 0.193, 2019: 0.184, 2020: 0.199}
CONTRACTS = {2015: 19.0, 2016: 17.0, 2017: 12.0, 2018: 6.0, 2019: 3.6, 2020: 3.2}

DIPLOMAS = ("INFCAPBEP", "CAPBEP", "BAC", "SUPBAC")
DURATIONS = ("DUR1", "DUR2", "DUR3", "DUR4")


def job_seekers(latent: Latent, year: int, seed: int) -> Counts:
    """Counts at 31 December of a year under the column names of the table « Insertion professionnelle »."""
    people = census(latent, year, seed, "QP2015")
    rng = stream(seed, f"job seekers {year}")
    found: dict[str, Ints] = {}
    for sex, gap in (("F", -0.02), ("H", 0.02)):
        rate = ABC_RATE[year] + gap + 0.022 * latent.poverty + rng.normal(0, 0.004, len(latent.poverty))
        found |= _one_sex(sex, part(people[f"1564_{sex}"].astype(np.int64), rate), latent, rng)
    for name in [name for name in found if name.endswith("_F")]:
        found[name.removesuffix("_F")] = found[name] + found[name.removesuffix("F") + "H"]
    whole = found["ABC"]
    ages = split(whole, shares(rng, [0.158, 0.62, 0.222], latent.family, [0.06, 0.0, -0.08], 0.05))
    found |= {"ABC_25": ages[:, 0], "ABC_2649": ages[:, 1], "ABC_50": ages[:, 2]}
    nations = split(whole, _columns(1 - 1.2 * latent.foreign, 1.2 * latent.foreign, 0.003))
    found |= {"ABC_FR": nations[:, 0], "ABC_E": nations[:, 1]}
    skills = split(
        whole, shares(rng, [0.14, 0.125, 0.29, 0.395, 0.045, 0.005], latent.poverty, [0.1] + [0.0] * 5, 0.06)
    )
    found |= {f"ABC_QAL{number + 1}": skills[:, number] for number in range(5)}
    return {name: values.astype(np.float64) for name, values in found.items()}


def _one_sex(sex: str, abc: Ints, latent: Latent, rng: np.random.Generator) -> dict[str, Ints]:
    found = {f"ABC_{sex}": abc, f"ABCDE_{sex}": abc + part(abc, 0.09 + rng.normal(0, 0.01, len(abc)))}
    found[f"A_{sex}"] = part(abc, 0.69 + rng.normal(0, 0.02, len(abc)))
    found[f"ABC_RSA_{sex}"] = part(abc, 0.3 + 0.03 * latent.poverty)
    # The last column is « not known »: published parts do not reach the total, as in the real table.
    levels = split(
        abc, shares(rng, [0.285, 0.36, 0.19, 0.155, 0.01], latent.poverty, [0.1, 0.0, -0.05, -0.1, 0.0], 0.05)
    )
    found |= {f"ABC_{name}_{sex}": levels[:, number] for number, name in enumerate(DIPLOMAS)}
    lengths = split(abc, shares(rng, [0.375, 0.175, 0.19, 0.26], latent.poverty, [-0.03, 0.0, 0.02, 0.05], 0.05))
    found |= {f"ABC_{name}_{sex}": lengths[:, number] for number, name in enumerate(DURATIONS)}
    return found


def contracts(latent: Latent, year: int, seed: int) -> Counts:
    """Helped contracts (CUI and emplois d'avenir) in force at 31 December of a year."""
    people = census(latent, year, seed, "QP2015")
    rng = stream(seed, f"contracts {year}")
    rate = CONTRACTS[year] / 1_000 * np.exp(rng.normal(0, 0.3, len(latent.poverty)))
    found: dict[str, Ints] = {}
    for sex, weight in (("F", 1.2), ("H", 0.8)):
        both = split(
            part(people[f"1564_{sex}"].astype(np.int64), rate * weight),
            shares(rng, [0.78, 0.22], latent.family, [0.0, 0.05], 0.1),
        )
        found |= {f"CUI_{sex}": both[:, 0], f"EAV_{sex}": both[:, 1], f"CA_{sex}": both.sum(axis=1)}
    for name in ("CA", "CUI", "EAV"):
        found[name] = found[f"{name}_F"] + found[f"{name}_H"]
    flat = np.zeros(len(rate))
    cui, eav = found["CUI"], found["EAV"]
    for total, parts, base in (
        (cui, ("CIE", "CAE"), [0.25, 0.75]),
        (cui, ("CUI_25", "CUI_26A49", "CUI_50"), [0.21, 0.58, 0.21]),
        (cui, ("CUI_INFCAP", "CUI_CAP", "CUI_BAC", "CUI_SUPBAC"), [0.22, 0.35, 0.25, 0.18]),
        (eav, ("EAV_INFCAP", "EAV_CAP", "EAV_SUPCAP"), [0.29, 0.26, 0.45]),
    ):
        shared = split(total, shares(rng, base, flat, [0.0] * len(base), 0.1))
        found |= {name: shared[:, number] for number, name in enumerate(parts)}
    paid = split(found["CIE"], shares(rng, [0.54, 0.46], flat, [0.0, 0.0], 0.1))
    found |= {"CIE_HS": paid[:, 0], "CIE_S": paid[:, 1]}
    return {name: values.astype(np.float64) for name, values in found.items()}


def revised(counts: Counts, seed: int, year: int) -> Counts:
    """Last year's counts as seen one year later: producers revise them, so published growth is not a plain ratio."""
    rng = stream(seed, f"revision {year}")
    size = len(counts["ABC"]) if "ABC" in counts else len(counts["CA"])
    factor = 1 + rng.normal(0, 0.006, size)
    return {name: np.rint(values * factor) for name, values in counts.items()}


def growth(now: Floats, before: Floats) -> Floats:
    """Change in percent; nan where there was nobody."""
    change = np.full(len(now), np.nan)
    np.divide(100 * (now - before), before, out=change, where=before > 0)
    return change


def employment_rates(counts: Counts, precarious: str) -> Counts:
    """TX_*_EMPL and TX_*_{precarious} (EPREC until 2020, EDLIM from 2021), in percent."""
    found = {}
    for group, columns in (("TOT", ("F", "H")), ("F", ("F",)), ("ET", ("ET",))):
        working = sum((counts[f"EMPL_{name}"] for name in columns), np.zeros(1))
        found[f"TX_{group}_EMPL"] = percent(working, sum((counts[f"1564_{name}"] for name in columns), np.zeros(1)))
        found[f"TX_{group}_{precarious}"] = percent(
            sum((counts[f"PREC_{name}"] for name in columns), np.zeros(1)), working
        )
    return found


def _columns(*parts: Floats | float) -> Floats:
    size = max(np.size(value) for value in parts)
    return np.column_stack([np.broadcast_to(np.asarray(value, dtype=float), size) for value in parts])
