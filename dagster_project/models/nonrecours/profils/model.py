"""Take-up of the C2S by household profile, from the counts that a partner delivers under a convention.

Model card: `docs/modeles/non-recours-profils.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import expit
from scipy.stats import norm

from dagster_project.models.arrow_tables import Vector, schema_of, table_of
from dagster_project.models.nonrecours.profils.calibration import INSIDE, calibration
from dagster_project.models.nonrecours.profils.cells import Edition, Record, checked, read
from dagster_project.models.nonrecours.profils.logit import Cells, Fit, FitError, fit
from dagster_project.models.nonrecours.profils.parameters import CONSTANT, MODALITIES, ProfileParameters
from dagster_project.models.nonrecours.profils.secret import PRIMARY, SHOWN
from dagster_project.models.secrecy import Secrecy

MODEL_VERSION = "non-recours-profils 1.0.0"
ZONE_LEVEL = "QPV"
LIKELIHOOD, PENALISED = "maximum_de_vraisemblance", "penalise"
NO_CELL = "Aucune cellule comptée de cette modalité."
TOO_FEW = "Trop peu de cellules comptées pour estimer l’effet des profils."

_EDITION = ("generation", "vintage")
_KEY = ("zone_level", "zone_code", *_EDITION)
_OF_EDITION, _OF_ZONE, _LAST = " ".join(_EDITION), " ".join(_KEY), "status motif model_version"
EFFET = schema_of(f"{_OF_EDITION} term modality reference method coefficient:f odds_ratio:f ci_low:f ci_high:f {_LAST}")
PREDICTION = schema_of(
    f"{_OF_ZONE} {' '.join(MODALITIES)} n_eligibles:i n_beneficiaires:i observed:f smoothed:f ci_low:f ci_high:f "
    f"{_LAST}"
)
ZONE = schema_of(f"{_OF_ZONE} value:f ci_low:f ci_high:f odds_ratio:f n_cells:i {_LAST}")
CALIBRATION = schema_of(
    f"{_OF_EDITION} sample tranche:i n_cells:i n_eligibles:i expected:f observed:f pente:f ordonnee:f brier:f "
    "brier_reference:f hosmer_lemeshow:f hosmer_lemeshow_ddl:i hosmer_lemeshow_p:f dispersion:f zone_sd:f "
    f"{_LAST}"
)


def profils(
    cells: pa.Table, masked_below: int, secrecy: Secrecy, parameters: ProfileParameters | None = None
) -> dict[str, pa.Table]:
    """Effects of profiles on take-up, smoothed non-take-up of cells and zones, and how well the model predicts.

    logit(take-up of a cell) = constant + effects of the type of household, age and tenure (treatment coding) + effect
    of the zone, normal with a spread estimated from the data. Generations and years are fitted apart: their zones
    overlap. A number hidden by the partner counts as any that it hides; a cell whose eligible persons are hidden says
    nothing. What the partner hides shapes the estimate; what we withhold, only what is shown of it.

    Args:
        cells: one row per cell: code_zone, generation, annee, type_menage, tranche_age, statut_occupation (text),
            n_eligibles, n_beneficiaires (persons; null where the partner wrote `ns`).
        masked_below: least count that the partner shows, zero apart: `ns` is 1 to this number less one.
        secrecy: least number of eligible persons, of beneficiaries and of others that is shown.
        parameters: choices of the model; the published ones by default.

    Returns:
        `effet`: per term and modality, coefficient on the logit of take-up, odds ratio with its interval, reference.
        `prediction`: per cell, counts, observed and smoothed non-take-up (%) with its interval, when it may be shown.
        `zone`: per zone, non-take-up (%) that it would have with the profiles of all zones together, its interval and
        the odds ratio of take-up of the zone.
        `calibration`: see `calibration.calibration`; rates in percent of non-take-up.
        No row at all without cells.

    Raises:
        ValueError: a column is missing, a cell appears twice, a modality is unknown, or more persons have the C2S than
            are entitled to it.
    """
    chosen = parameters or ProfileParameters()
    rows = checked(cells)
    found: dict[str, list[Record]] = {"effet": [], "prediction": [], "zone": [], "calibration": []}
    for edition in sorted({(row["generation"], row["annee"]) for row in rows}):
        of_edition = [row for row in rows if (row["generation"], row["annee"]) == edition]
        named = dict(zip(_EDITION, edition, strict=True)) | {"model_version": MODEL_VERSION}
        for name, records in _edition(of_edition, masked_below, secrecy, chosen).items():
            found[name].extend(record | named for record in records)
    return {
        "effet": _table(found["effet"], EFFET, [*_EDITION, "term", "modality"]),
        "prediction": _table(found["prediction"], PREDICTION, [*_KEY, *MODALITIES]),
        "zone": _table(found["zone"], ZONE, _KEY),
        "calibration": _table(found["calibration"], CALIBRATION, [*_EDITION, "sample", "tranche"]),
    }


def _edition(
    rows: list[Record], masked_below: int, secrecy: Secrecy, parameters: ProfileParameters
) -> dict[str, list[Record]]:
    edition = read(rows, secrecy)
    counted = edition.counted
    cells = Cells(
        edition.design[counted],
        edition.zone[counted],
        len(edition.zones),
        edition.counts.eligible[counted],
        edition.counts.beneficiaries[counted],
        masked_below - 1,
    )
    found: Fit | None = None
    method, why, ridge = LIKELIHOOD, TOO_FEW, np.zeros(len(edition.columns))
    if np.count_nonzero(~np.isnan(cells.beneficiaries)) >= max(parameters.least_cells, len(edition.columns) + 1):
        found, method, why, ridge = _fitted(cells, parameters)
    return {
        "effet": list(_effects(edition, found, method, why, parameters)),
        "prediction": list(_predictions(edition, found, why, parameters)),
        "zone": list(_zones(edition, found, why, parameters)),
        "calibration": list(_calibration(edition, cells, found, ridge, why, parameters)),
    }


def _fitted(cells: Cells, parameters: ProfileParameters) -> tuple[Fit | None, str, str, Vector]:
    """The fit by likelihood alone, else with a prior on effects; how it was made, why, and the precision of the prior.

    The prior is normal, of mean 0 and standard deviation 2.5 on the logit scale, as Gelman et al. (2008) advise against
    separation (they draw it with heavier tails); the constant has none.
    """
    free = np.zeros(cells.design.shape[1])
    try:
        return fit(cells, free, parameters), LIKELIHOOD, "", free
    except FitError as error:
        why = f"{error} Effets ramenés vers 0 par un a priori (écart-type {parameters.prior_sd:g})."
    held = np.full(len(free), parameters.prior_sd**-2)
    held[0] = 0.0
    try:
        return fit(cells, held, parameters), PENALISED, why, held
    except FitError as error:
        return None, PENALISED, str(error), held


def _effects(
    edition: Edition, found: Fit | None, method: str, why: str, parameters: ProfileParameters
) -> Iterator[Record]:
    z = _two_sided(parameters)
    ranks = {column: rank for rank, column in enumerate(edition.columns)}
    for term, modality in [(CONSTANT, CONSTANT), *((name, one) for name, many in MODALITIES.items() for one in many)]:
        reference = edition.references.get(term)
        row: Record = {"term": term, "modality": modality, "reference": reference, "method": method}
        if found is None:
            yield row | {"status": "nd", "motif": why}
        elif modality == reference:
            yield row | {"coefficient": 0.0, "odds_ratio": 1.0, "status": "ok"}
        elif (term, modality) not in ranks:
            yield row | {"status": "nd", "motif": NO_CELL}
        else:
            rank = ranks[term, modality]
            effect, error = found.beta[rank], np.sqrt(found.dispersion * found.inner[rank, rank])
            row |= {"coefficient": effect, "odds_ratio": np.exp(effect), "status": "ok", "motif": why or None}
            yield row | {"ci_low": np.exp(effect - z * error), "ci_high": np.exp(effect + z * error)}


def _predictions(edition: Edition, found: Fit | None, why: str, parameters: ProfileParameters) -> Iterator[Record]:
    rates: dict[str, Vector] = {}
    if found:
        design, z = edition.design, _two_sided(parameters)
        eta, error = found.logit(design, edition.zone), np.sqrt(found.variance(design, edition.zone))
        rates = {"smoothed": expit(-eta), "ci_low": expit(-eta - z * error), "ci_high": expit(-eta + z * error)}
    for rank, (row, status) in enumerate(zip(edition.rows, edition.status, strict=True)):
        record = {name: row[name] for name in MODALITIES} | _zone_key(row["code_zone"])
        record |= {"status": status, "motif": edition.reasons.get(status, None if found else why)}
        if status == SHOWN:
            eligible, held = int(edition.counts.eligible[rank]), int(edition.counts.beneficiaries[rank])
            record |= {"n_eligibles": eligible, "n_beneficiaires": held, "observed": 100 * (1 - held / eligible)}
            record |= {name: 100 * values[rank] for name, values in rates.items()}
        yield record


def _zones(edition: Edition, found: Fit | None, why: str, parameters: ProfileParameters) -> Iterator[Record]:
    """Direct standardisation: each zone with the eligible persons of all zones, at its own odds.

    A zone of fewer than two published cells has no rate: it would stand for the cell that is hidden.
    """
    published = np.bincount(edition.zone[edition.shown], minlength=len(edition.zones))
    standard = _standardised(edition, found, parameters) if found else {}
    for rank, code in enumerate(edition.zones):
        record = _zone_key(code) | {"n_cells": int(published[rank])}
        if published[rank] < 2:  # noqa: PLR2004 - one cell would be told by the rate of its zone
            yield record | {"status": PRIMARY, "motif": edition.reasons[PRIMARY]}
        elif not found:
            yield record | {"status": "nd", "motif": why}
        else:
            yield record | {name: values[rank] for name, values in standard.items()} | {"status": "ok"}


def _standardised(edition: Edition, found: Fit, parameters: ProfileParameters) -> dict[str, Vector]:
    counted, z = edition.counted, _two_sided(parameters)
    profiles, rank = np.unique(edition.design[counted], axis=0, return_inverse=True)
    weight = np.bincount(rank.reshape(-1), weights=edition.counts.eligible[counted])
    weight = weight / weight.sum()
    eta = np.einsum("xp,p->x", profiles, found.beta)[None, :] + found.zone_effect[:, None]
    rate = np.einsum("zx,x->z", expit(-eta), weight)
    slope = expit(eta) * expit(-eta) * weight
    all_zones = np.arange(len(edition.zones))
    variance = found.variance(np.einsum("zx,xp->zp", slope, profiles), all_zones, slope.sum(axis=1))
    # bounds on the logit scale stay between 0 and 1
    centre, error = np.log(rate / (1 - rate)), np.sqrt(variance) / (rate * (1 - rate))
    return {
        "value": 100 * rate,
        "ci_low": 100 * expit(centre - z * error),
        "ci_high": 100 * expit(centre + z * error),
        "odds_ratio": np.exp(found.zone_effect),
    }


def _calibration(
    edition: Edition, cells: Cells, found: Fit | None, ridge: Vector, why: str, parameters: ProfileParameters
) -> Iterator[Record]:
    if found is None:
        yield {"sample": INSIDE, "tranche": 0, "status": "nd", "motif": why}
        return
    spread = {"dispersion": found.dispersion, "zone_sd": found.zone_sd}
    for row in calibration(cells, found, edition.shown[edition.counted], ridge, parameters):
        yield row if row["tranche"] else row | spread


def _zone_key(code: str) -> Record:
    return {"zone_level": ZONE_LEVEL, "zone_code": code}


def _two_sided(parameters: ProfileParameters) -> float:
    return float(norm.ppf((1 + parameters.level) / 2))


def _table(rows: list[Record], schema: pa.Schema, sort: tuple[str, ...] | list[str]) -> pa.Table:
    """Rows under a schema, absent values null; numbers to nine decimals, which every processor gives alike."""
    whole = [{name: _rounded(row.get(name)) for name in schema.names} for row in rows]
    return table_of(whole, schema, sort)


def _rounded(value: Any) -> Any:
    return round(float(value), 9) if isinstance(value, float) else value
