"""Claims as executable tests: a sentence, its zones, its cut, and a verdict that anyone can run again.

Model card: `docs/modeles/test-affirmation.md`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models import claims as rule
from dagster_project.models import verdicts, weighing
from dagster_project.models.arrow_tables import Mask, floats, rows_of, table_of, unique_keys
from dagster_project.models.circularity import Effect, logit_effect, matched_difference
from dagster_project.models.claim_tables import CIRCULARITE, CONTRE_EXEMPLES, CURVE, MORAN, VERDICT
from dagster_project.models.exact import agreement, clopper_pearson
from dagster_project.models.field import EITHER, Field, read_fields
from dagster_project.models.spatial import QUADRANTS, autocorrelation
from dagster_project.models.spatial_null import spatial_null

MODEL_VERSION = "test-affirmation 1.0.0"

CLAIM = (
    *("claim_id", "statement_fr", "generation", "mesh", "index_code", "cut_quantile", "share_required"),
    *("is_primary", "alpha", "draws", "seed"),
)
Pairs = dict[str, list[tuple[str, str]]]
Record = dict[str, Any]


def judge(
    claims: pa.Table,
    zones: pa.Table,
    shares: pa.Table,
    neighbours: pa.Table,
    qpv: pa.Table,
    income: pa.Table,
) -> dict[str, pa.Table]:
    """Judge every claim.

    Args:
        claims: rows of the seed `claim`.
        zones: one row per mesh × zone × index: mesh, zone_code, commune, epci (text, null when none), population
            (double), index_code, value (index 0–100, null when there is none), status (why).
        shares: mesh, generation, qpv_code, zone_code, share: share of the QPV's population living in the zone; what is
            left to 1 lies in zones that are not known.
        neighbours: mesh, zone_code, neighbour_code: zones that touch, one way or both.
        qpv: generation, qpv_code, name (text or null), population (double): the field of the claim.
        income: zone_code, median_income (double or null); zones without a row are without income.

    Returns:
        `verdict`: one row per claim; `curve`: claim × cut of the fixed grid; `contre_exemples`: claim × QPV that
        refutes it or is undecided; `moran`: mesh × index; `circularite`: claim × method. Columns are described in
        `claim_tables`. A claim whose index or neighbourhoods are missing is `non_testable`, its reason in French,
        its figures null.

    Raises:
        ValueError: a table breaks a rule of `field.read_fields`, more than one claim is primary, or a claim's cut or
            required share is out of bounds.
    """
    rows = _claims(claims)
    wanted = {(row["mesh"], row["generation"], row["index_code"]) for row in rows}
    fields = read_fields(zones, shares, qpv, wanted)
    pairs: Pairs = defaultdict(list)
    for row in rows_of(neighbours, "neighbours", ["mesh", "zone_code", "neighbour_code"]):
        pairs[row["mesh"]].append((row["zone_code"], row["neighbour_code"]))
    incomes = {
        row["zone_code"]: row["median_income"] for row in rows_of(income, "income", ["zone_code", "median_income"])
    }
    found: dict[str, list[Record]] = {name: [] for name in ("verdict", "curve", "contre_exemples", "circularite")}
    for row in rows:
        field = fields[row["mesh"], row["generation"], row["index_code"]]
        for name, records in _judge_one(row, field, pairs[row["mesh"]], incomes).items():
            found[name] += [
                record | {"claim_id": row["claim_id"], "model_version": MODEL_VERSION} for record in records
            ]
    return {
        "verdict": table_of(found["verdict"], VERDICT, ["claim_id"]),
        "curve": table_of(found["curve"], CURVE, ["claim_id", "cut_quantile"]),
        "contre_exemples": table_of(found["contre_exemples"], CONTRE_EXEMPLES, ["claim_id", "qpv_code"]),
        "circularite": table_of(found["circularite"], CIRCULARITE, ["claim_id", "method"]),
        "moran": table_of(list(_moran(rows, fields, pairs)), MORAN, ["mesh", "index_code"]),
    }


def _claims(claims: pa.Table) -> list[Record]:
    rows = sorted(rows_of(claims, "claims", CLAIM), key=lambda row: str(row["claim_id"]))
    unique_keys([row["claim_id"] for row in rows], "claims")
    if sum(bool(row["is_primary"]) for row in rows) > 1:
        raise ValueError("Table `claims`: one claim at most is primary; the others are sensitivity.")
    for row in rows:
        if not (0 < row["cut_quantile"] < 1 and 0 < row["share_required"] <= 1 and 0 < row["alpha"] < 1):
            raise ValueError(f"Table `claims`: {row['claim_id']}: cut, share and alpha are between 0 and 1.")
        if row["draws"] < 1:
            raise ValueError(f"Table `claims`: {row['claim_id']}: at least one draw is needed.")
    return rows


def _judge_one(
    claim: Record, field: Field, pairs: list[tuple[str, str]], incomes: dict[str, Any]
) -> dict[str, list[Record]]:
    base: Record = dict.fromkeys(VERDICT.names) | claim | {"n_qpv": len(field.qpv)}
    if field.reason is not None or not field.qpv:
        missing = field.reason is not None
        reason = (
            verdicts.no_index(claim["index_code"], claim["mesh"], str(field.reason))
            if missing
            else verdicts.no_neighbourhood(claim["generation"])
        )
        status = field.reason if missing else "non_couvert"
        silent = base | {"verdict": verdicts.UNTESTABLE, "reason_fr": reason, "status": status}
        return {"verdict": [silent], "curve": [], "contre_exemples": [], "circularite": []}
    standing = rule.stand(field, claim["cut_quantile"], claim["share_required"])
    fragile = field.sensitive(claim["cut_quantile"])
    qpv_zone = weighing.reaches(field.qpv_share, claim["share_required"])
    curve = rule.curve(field, claim["share_required"])
    verdict = (
        base
        | _part_two(claim, field, standing)
        | _part_one(claim, field, standing, fragile, qpv_zone)
        | _null(claim, field, standing, pairs)
        | {"auc": curve.auc, "smallest_share": curve.smallest_share, "smallest_cut": curve.smallest_cut}
    )
    income = floats(incomes.get(code) for code in field.codes)
    return {
        "verdict": [verdict],
        "curve": [
            {
                "cut_quantile": cut,
                "share_labelled": share,
                "k": k,
                "n": curve.n,
                "share_k": k / curve.n if curve.n else None,
            }
            for cut, share, k in zip(curve.cuts, curve.labelled, curve.k.astype(int), strict=True)
        ],
        "contre_exemples": list(_counter_examples(claim, field, standing)),
        "circularite": [
            _effect("apparie_revenu", matched_difference(field, income, qpv_zone)),
            _effect("logit", logit_effect(field, income, qpv_zone, fragile)),
        ],
    }


def _part_two(claim: Record, field: Field, standing: rule.Standing) -> Record:
    """All QPV are sensitive: k of n, exact bounds, verdict."""
    k, n = int(standing.sensitive.sum()), int((~standing.undecided).sum())
    bounds = clopper_pearson(k, n, claim["alpha"]) if n else None
    refuting, undecided = (
        [code for code, flag in zip(field.qpv, flags, strict=True) if flag]
        for flags in (standing.refuting, standing.undecided)
    )
    verdict, reason = verdicts.conclude(k, refuting, undecided, bounds)
    return {
        "status": "ok",
        "k": k,
        "n": n,
        "n_undecided": len(undecided),
        "share_k": k / n if n else None,
        "low_two_sided": bounds.low if bounds else None,
        "high_two_sided": bounds.high if bounds else None,
        "low_one_sided": bounds.low_one_sided if bounds else None,
        "counter_examples": ",".join(refuting),
        "verdict": verdict,
        "reason_fr": reason,
    }


def _part_one(claim: Record, field: Field, standing: rule.Standing, fragile: Mask, qpv_zone: Mask) -> Record:
    """Not all sensitive zones are QPV: existence, predictive value, who lives where, agreement of the two labels."""
    people, inside = field.population, field.population * field.qpv_share
    sensitive_people = float(people[fragile].sum())
    known_people = float(people[field.known].sum())
    without = int((fragile & (field.qpv_share == 0)).sum())
    kappa, mcc = agreement(qpv_zone[field.known], fragile[field.known])
    everyone = float(field.qpv_population.sum())
    one_index = EITHER not in claim["index_code"]
    return {
        "cut_value": float(field.value[fragile].min()) if one_index and fragile.any() else None,
        "n_zones": int(field.known.sum()),
        "n_sensitive": int(fragile.sum()),
        "n_sensitive_without_qpv": without,
        "n_sensitive_not_qpv": int((fragile & ~qpv_zone).sum()),
        "part_one_verdict": verdicts.CONFIRMED if without else verdicts.REFUTED,
        "ppv_zones": float((fragile & qpv_zone).sum() / fragile.sum()) if fragile.any() else None,
        "ppv_population": float(inside[fragile].sum()) / sensitive_people if sensitive_people > 0 else None,
        "share_population_sensitive": sensitive_people / known_people,
        "share_qpv_population_sensitive": float(field.qpv_population @ standing.share_sensitive) / everyone
        if everyone > 0
        else None,
        "kappa": kappa,
        "mcc": mcc,
    }


def _null(claim: Record, field: Field, standing: rule.Standing, pairs: list[tuple[str, str]]) -> Record:
    null = spatial_null(
        field,
        pairs,
        standing.sensitive,
        ~standing.undecided,
        cut_quantile=claim["cut_quantile"],
        required=claim["share_required"],
        draws=claim["draws"],
        seed=claim["seed"],
    )
    low, median, high = np.quantile(null.counts, (0.025, 0.5, 0.975))
    return {
        "null_p": null.p,
        "null_k_median": median,
        "null_k_low": low,
        "null_k_high": high,
        "null_widened": null.widened,
        "null_fixed": null.fixed,
    }


def _counter_examples(claim: Record, field: Field, standing: rule.Standing) -> Iterator[Record]:
    """QPV that refute the claim, or that cannot be decided, and how far each is from the rule."""
    for q in np.flatnonzero(~standing.sensitive):
        share = float(standing.share_sensitive[q])
        decided = bool(standing.refuting[q])
        yield {
            "qpv_code": field.qpv[q],
            "name": field.names[q],
            "kind": "contre_exemple" if decided else "indecis",
            "population": field.qpv_population[q],
            "share_sensitive": share,
            "share_unknown": standing.share_unknown[q],
            "missing_share": claim["share_required"] - share,
            "critical_cut": standing.critical[q] if standing.critical[q] > 0 else None,
            "distance_cut": claim["cut_quantile"] - standing.critical[q] if standing.critical[q] > 0 else None,
        }


def _effect(method: str, effect: Effect | None) -> Record:
    if effect is None:
        return dict.fromkeys(CIRCULARITE.names) | {"method": method, "status": "nd"}
    return {
        "method": method,
        "estimate": effect.estimate,
        "ci_low": effect.low,
        "ci_high": effect.high,
        "odds_ratio": float(np.exp(effect.estimate)) if method == "logit" else None,
        "n_zones": effect.zones,
        "n_communes": effect.clusters,
        "n_excluded": effect.excluded,
        "income_gap": effect.income_gap,
        "status": "ok",
    }


def _moran(rows: list[Record], fields: dict[tuple[str, str, str], Field], pairs: Pairs) -> Iterator[Record]:
    """Autocorrelation of each index over each mesh, with the draws and seed of the first claim upon it."""
    done: set[tuple[str, str]] = set()
    for row in rows:
        mesh, index_code = row["mesh"], row["index_code"]
        if (mesh, index_code) in done:
            continue
        done.add((mesh, index_code))
        field = fields[mesh, row["generation"], index_code]
        found = autocorrelation(field.codes, field.value, pairs[mesh], row["draws"], row["seed"])
        record = dict.fromkeys(MORAN.names) | {"mesh": mesh, "index_code": index_code, "model_version": MODEL_VERSION}
        if found is None:
            yield record | {"status": field.reason or "nd", "n_without_value": int((~field.known).sum())}
            continue
        yield record | {
            "n_zones": found.zones,
            "n_islands": found.islands,
            "n_without_value": found.without_value,
            "moran_i": found.i,
            "expected_i": found.expected,
            "z": found.z,
            "p": found.p,
            "draws": row["draws"],
            "seed": row["seed"],
            **{f"lisa_{name}": found.clusters[name] for name in QUADRANTS},
            "status": "ok",
        }
