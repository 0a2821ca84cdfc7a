"""Whether predicted rates are right: observed against expected by class of prediction, inside the fit and out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import chi2

from dagster_project.models.arrow_tables import Vector
from dagster_project.models.nonrecours.profils.logit import Cells, Fit, FitError, distinguished, fit_at, told_by_chance
from dagster_project.models.nonrecours.profils.parameters import ProfileParameters

INSIDE, OUTSIDE = "ajustement", "validation_croisee"
TOO_FEW = "Trop peu de cellules publiées que le secret ne choisit pas : le calage n’est pas mesuré."
Record = dict[str, Any]


@dataclass(frozen=True)
class Predicted:
    """Take-up of cells: predicted rate, persons, beneficiaries."""

    rate: Vector
    eligible: Vector
    beneficiaries: Vector


def calibration(
    cells: Cells, found: Fit, shown: NDArray[np.bool_], ridge: Vector, parameters: ProfileParameters
) -> Iterator[Record]:
    """Rows of calibration: one for all cells (`tranche` 0) and one by class, inside the fit and by cross-validation.

    Only cells that are published count, so that nothing here tells of the others; and among them only those that
    secrecy had next to no chance to hide, as it would keep cells whose count is high by chance.

    Args:
        cells: the data of the fit.
        found: the fit.
        shown: cells that are published.
        ridge: precision of the prior of effects, as in the fit.
        parameters: choices of the model.
    """
    inside = expit(found.logit(cells.design, cells.zone))
    told = shown & told_by_chance(cells, inside, parameters)
    yield from _of_sample(cells, inside, told, INSIDE, parameters)
    try:
        outside = _cross_validated(cells, found.zone_sd, ridge, parameters)
    except FitError as error:
        yield _row(OUTSIDE, 0) | {"status": "nd", "motif": str(error)}
        return
    yield from _of_sample(cells, outside, told, OUTSIDE, parameters)


def _cross_validated(cells: Cells, zone_sd: float, ridge: Vector, parameters: ProfileParameters) -> Vector:
    """Rate of each cell, predicted without it; the spread of zone effects is that of the whole."""
    fold = np.arange(len(cells.zone)) % parameters.folds
    rate = np.empty(len(fold))
    for part in range(min(parameters.folds, len(fold))):
        held = fold == part
        others = cells.only(~held)
        if not ridge.any():
            distinguished(others)
        found = fit_at(others, zone_sd, ridge, parameters)
        rate[held] = expit(found.logit(cells.design[held], cells.zone[held]))
    return rate


def _of_sample(
    cells: Cells, rate: Vector, told: NDArray[np.bool_], sample: str, parameters: ProfileParameters
) -> Iterator[Record]:
    if np.count_nonzero(told) < parameters.least_cells:
        yield _row(sample, 0) | {"status": "nd", "motif": TOO_FEW}
        return
    predicted = Predicted(rate[told], cells.eligible[told], cells.beneficiaries[told])
    classes = _classes(predicted, parameters.slices)
    rows = [_class_row(predicted, classes == rank, sample, rank + 1) for rank in np.unique(classes)]
    whole = _class_row(predicted, np.ones(len(classes), dtype=np.bool_), sample, 0)
    yield whole | scores(predicted) | _hosmer_lemeshow(predicted, classes, inside=sample == INSIDE)
    yield from rows


def _classes(predicted: Predicted, slices: int) -> NDArray[np.int64]:
    """Class of each cell, from the least take-up: about as many persons in each, no cell cut."""
    # rounded: two cells of one profile and zone have one prediction, whatever the last bits
    order = np.argsort(np.round(predicted.rate, 9), kind="stable")
    before = np.cumsum(predicted.eligible[order]) - predicted.eligible[order] / 2
    classes = np.empty(len(order), dtype=np.int64)
    classes[order] = np.minimum((before / predicted.eligible.sum() * slices).astype(np.int64), slices - 1)
    return classes


def scores(predicted: Predicted) -> Record:
    """Slope and constant of the logit of take-up on the predicted logit, and Brier score by person.

    A slope of 1 and a constant of 0 are right; a slope under 1 says that predictions are too spread out (Cox, 1958;
    Steyerberg, 2009). The Brier score of the mean rate alone stands beside.
    """
    persons, held, rate = predicted.eligible, predicted.beneficiaries, predicted.rate
    design = np.column_stack([np.ones(len(rate)), logit(rate)])
    cells = Cells(design, np.zeros(len(rate), dtype=np.int64), 1, persons, held, 0)
    mean = float(held.sum() / persons.sum())
    found: Record = {
        "brier": _brier(predicted),
        "brier_reference": _brier(replace(predicted, rate=np.full(len(rate), mean))),
    }
    try:
        line = fit_at(cells, 0.0, np.zeros(2), ProfileParameters())
    except FitError:  # one prediction for all: no line goes through one point
        return found
    return found | {"ordonnee": float(line.beta[0]), "pente": float(line.beta[1])}


def _brier(predicted: Predicted) -> float:
    others = predicted.eligible - predicted.beneficiaries
    total = predicted.beneficiaries * (1 - predicted.rate) ** 2 + others * predicted.rate**2
    return float(total.sum() / predicted.eligible.sum())


def _hosmer_lemeshow(predicted: Predicted, classes: NDArray[np.int64], *, inside: bool) -> Record:
    """Σ (observed − expected)² / variance over classes; two degrees are lost to the fit (Hosmer & Lemeshow, 1980)."""
    count = int(classes.max()) + 1
    persons, held, expected = (
        np.bincount(classes, weights=values, minlength=count)
        for values in (predicted.eligible, predicted.beneficiaries, predicted.eligible * predicted.rate)
    )
    there = persons > 0
    persons, held, expected = persons[there], held[there], expected[there]
    statistic = float(((held - expected) ** 2 / (expected * (1 - expected / persons))).sum())
    degrees = len(persons) - 2 if inside else len(persons)
    if degrees < 1:
        return {}
    found: Record = {"hosmer_lemeshow": statistic, "hosmer_lemeshow_ddl": degrees}
    return found | {"hosmer_lemeshow_p": float(chi2.sf(statistic, degrees))}


def _class_row(predicted: Predicted, kept: NDArray[np.bool_], sample: str, rank: int) -> Record:
    """Non-take-up expected and observed in a class, percent."""
    persons = predicted.eligible[kept]
    total = float(persons.sum())
    return _row(sample, int(rank)) | {
        "n_cells": int(np.count_nonzero(kept)),
        "n_eligibles": int(total),
        "expected": 100 * (1 - float((persons * predicted.rate[kept]).sum()) / total),
        "observed": 100 * (1 - float(predicted.beneficiaries[kept].sum()) / total),
    }


def _row(sample: str, rank: int) -> Record:
    return {"sample": sample, "tranche": rank, "status": "ok", "motif": None}
