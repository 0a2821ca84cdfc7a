"""Indices of vulnerability in health and in social conditions, with their uncertainty and the typology of zones.

Model card: `docs/modeles/indice-vulnerabilite.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models import composite, importance, uncertainty, weighing
from dagster_project.models.arrow_tables import Vector, schema_of, table_of
from dagster_project.models.composite import Aggregation, Normalisation, Scale, Winsorisation
from dagster_project.models.panel import KEYS, Index, Panel, absence, read_panel
from dagster_project.models.parameters import Parameters
from dagster_project.models.typology import CLASSES, Half, typology
from dagster_project.models.uncertainty import Draws, Interval

MODEL_VERSION = "indice-vulnerabilite 1.0.0"
REFERENCE = "reference"

_KEY = " ".join(KEYS)
INDICE = schema_of(
    f"{_KEY} index_code variant value:f rank:f median:f ci_low:f ci_high:f rank_median:f rank_low:f rank_high:f "
    "n_components:i n_expected:i status model_version"
)
TYPOLOGIE = schema_of(
    f"{_KEY} class {' '.join(f'p_{name}:f' for name in CLASSES)} distance_sante:f distance_socio:f stable:b partial:b "
    "status model_version"
)
PARAMETRE = schema_of(
    "index_code component direction:i mean:f sd:f low_bound:f high_bound:f skewness:f kurtosis:f winsorised_zones:i "
    "reference_zones:i zones_without_error:i nominal_weight:f pca_weight:f squared_correlation:f effective_weight:f "
    "sobol_first_order:f cut:f status model_version"
)


def indices(
    components: pa.Table, reference_level: str = "IRIS", parameters: Parameters | None = None
) -> dict[str, pa.Table]:
    """Indices, typology and the constants that made them.

    Args:
        components: one row per zone × component: zone_level, zone_code, generation, mesh, component, index_code,
            status (text), population, value, error_sd (double or null; the error is the standard deviation of the
            value, null when it was not measured: the value is then drawn as it is). Zones of every level may stand in
            it; those of `reference_level` are the reference of scales, ranks and cuts.
        reference_level: level of the reference zones.
        parameters: choices of the model; the published ones by default.

    Returns:
        `indice`: per zone × index × variant, value (0–100, higher is more fragile), rank within level, generation and
        mesh (1 the most fragile), n_components of n_expected, status; for the variant `reference` also median,
        ci_low, ci_high and rank_median, rank_low, rank_high over draws (90 % by default). Variants: `reference`
        (z winsorised at p1/p99, arithmetic), `z_jrc`, `min_max`, `rang`, `acp1`, `geometrique` (on min_max).
        `typologie`: see `typology.typology`.
        `parametre`: per index × component, frozen constants (of directed values), weights, importance and the cut.
        A component absent from all reference zones has no constants there; an index with too few components has no
        value and says why.

    Raises:
        ValueError: the table breaks one of the rules of `panel.read_panel`.
    """
    chosen = parameters or Parameters()
    panel = read_panel(components, reference_level, chosen)
    scales = {code: _scales(panel, index, chosen, chosen.winsorisation) for code, index in panel.indices.items()}
    draws = uncertainty.simulate(panel, scales, chosen)
    indice: list[dict[str, Any]] = []
    parametre: list[dict[str, Any]] = []
    halves: dict[str, Half] = {}
    for code, index in panel.indices.items():
        statuses = _statuses(index, scales[code], chosen)
        records, half = _index_records(panel, code, scales[code], statuses, draws.get(code), chosen)
        indice += records
        halves[code] = half
        parametre += _parameter_records(panel, code, scales[code], half.cut, chosen)
    version = {"model_version": MODEL_VERSION}
    return {
        "indice": table_of([row | version for row in indice], INDICE, [*KEYS, "index_code", "variant"]),
        "typologie": table_of([row | version for row in typology(panel, halves, chosen)], TYPOLOGIE, KEYS),
        "parametre": table_of([row | version for row in parametre], PARAMETRE, ["index_code", "component"]),
    }


def _scales(panel: Panel, index: Index, parameters: Parameters, winsorisation: Winsorisation) -> list[Scale | None]:
    weights = panel.reference_weights
    return [composite.fit(column, weights, winsorisation, parameters.tails) for column in index.values.T]


def _variants(
    panel: Panel, index: Index, scales: list[Scale | None], parameters: Parameters
) -> Iterator[tuple[str, Vector]]:
    """Name of each variant and its scores, before they are ranked."""
    frozen: list[tuple[str, Normalisation, Aggregation]] = [
        (REFERENCE, "z", "arithmetique"),
        ("min_max", "min_max", "arithmetique"),
        ("rang", "rang", "arithmetique"),
        ("geometrique", "min_max", "geometrique"),
    ]
    for name, method, aggregation in frozen:
        scores = composite.columns(index.values, scales, method)
        yield name, composite.aggregate(scores, index.nominal, method, aggregation)
    scores = composite.columns(index.values, scales, "z")
    pca = composite.first_component(scores, panel.reference_weights)
    yield "acp1", composite.aggregate(scores, pca, "z", "arithmetique")
    scores = composite.columns(index.values, _scales(panel, index, parameters, "jrc"), "z")
    yield "z_jrc", composite.aggregate(scores, index.nominal, "z", "arithmetique")


def _index_records(
    panel: Panel,
    code: str,
    scales: list[Scale | None],
    statuses: tuple[str, ...],
    draws: Draws | None,
    parameters: Parameters,
) -> tuple[list[dict[str, Any]], Half]:
    index = panel.indices[code]
    usable = composite.columns(index.values, scales, "z")
    kept = composite.enough(usable, parameters.min_share)
    present = np.sum(~np.isnan(usable), axis=1)
    nothing = np.full(len(panel.keys), np.nan)
    spread = {name: Interval(nothing, nothing, nothing) for name in ("index", "rank")}
    if draws is not None and kept.any():
        spread = {
            "index": uncertainty.interval(draws.index, parameters.interval),
            "rank": uncertainty.rank_interval(panel, draws, parameters.interval),
        }
    half = Half(nothing, np.zeros(len(nothing), dtype=bool), statuses, float("nan"), draws)
    records: list[dict[str, Any]] = []
    for variant, raw in _variants(panel, index, scales, parameters):
        scores = np.where(kept, raw, np.nan)
        values = shares = nothing
        if (panel.reference_weights[kept] > 0).any():
            values, shares = weighing.population_ranks(scores, panel.reference_weights)
        ranks = _ranks(panel, values)
        if variant == REFERENCE:
            fragile = weighing.reaches(shares, parameters.cut_quantile)
            counted = values[fragile & (panel.reference_weights > 0)]
            half = replace(half, value=values, fragile=fragile, cut=float(counted.min(initial=np.inf)))
            half = half if np.isfinite(half.cut) else replace(half, cut=float("nan"))
        for z, key in enumerate(panel.keys):
            drawn = variant == REFERENCE
            records.append(
                dict(zip(KEYS, key, strict=True))
                | {
                    "index_code": code,
                    "variant": variant,
                    "value": values[z],
                    "rank": ranks[z],
                    "median": spread["index"].median[z] if drawn else None,
                    "ci_low": spread["index"].low[z] if drawn else None,
                    "ci_high": spread["index"].high[z] if drawn else None,
                    "rank_median": spread["rank"].median[z] if drawn else None,
                    "rank_low": spread["rank"].low[z] if drawn else None,
                    "rank_high": spread["rank"].high[z] if drawn else None,
                    "n_components": present[z],
                    "n_expected": len(index.components),
                    "status": statuses[z],
                }
            )
    return records, half


def _ranks(panel: Panel, values: Vector) -> Vector:
    ranks = np.full(len(values), np.nan)
    for columns in uncertainty.groups(panel, ~np.isnan(values)):
        ranks[columns] = uncertainty.ranks_from_most_fragile(values[columns])
    return ranks


def _statuses(index: Index, scales: list[Scale | None], parameters: Parameters) -> tuple[str, ...]:
    """`ok` when every component is published, `estime` when one is estimated or missing, else why there is no index."""
    usable = composite.columns(index.values, scales, "z")
    kept = composite.enough(usable, parameters.min_share)
    found: list[str] = []
    for z, line in enumerate(index.statuses):
        missing = [status for status, score in zip(line, usable[z], strict=True) if np.isnan(score)]
        if not kept[z]:
            found.append(absence(missing))
        else:
            found.append("ok" if not missing and set(line) == {"ok"} else "estime")
    return tuple(found)


def _parameter_records(
    panel: Panel, code: str, scales: list[Scale | None], cut: float, parameters: Parameters
) -> Iterator[dict[str, Any]]:
    index = panel.indices[code]
    weights = panel.reference_weights
    scores = composite.columns(index.values, scales, "z")
    linear = composite.aggregate(scores, index.nominal, "z", "arithmetique")
    linear[~composite.enough(scores, parameters.min_share)] = np.nan
    pca = composite.first_component(scores, weights)
    squared = importance.squared_correlations(scores, linear, weights)
    sobol = importance.first_order_sobol(scores, linear, weights)
    total = np.nansum(squared)
    for k, (component, scale) in enumerate(zip(index.components, scales, strict=True)):
        reasons = [line[k] for line, is_reference in zip(index.statuses, panel.reference, strict=True) if is_reference]
        known = ~np.isnan(index.values[:, k])
        yield {
            "index_code": code,
            "component": component,
            "direction": parameters.directions.get(component, 1),
            "mean": scale.mean if scale else None,
            "sd": scale.sd if scale else None,
            "low_bound": scale.low if scale else None,
            "high_bound": scale.high if scale else None,
            "skewness": scale.skewness if scale else None,
            "kurtosis": scale.kurtosis if scale else None,
            "winsorised_zones": scale.touched if scale else None,
            "reference_zones": scale.zones if scale else 0,
            "zones_without_error": int(np.sum(known & np.isnan(index.errors[:, k]))),
            "nominal_weight": index.nominal[k],
            "pca_weight": pca[k] if scale else None,
            "squared_correlation": squared[k],
            "effective_weight": squared[k] / total if total > 0 else None,
            "sobol_first_order": sobol[k],
            "cut": cut,
            "status": "ok" if scale else absence(reasons),
        }
