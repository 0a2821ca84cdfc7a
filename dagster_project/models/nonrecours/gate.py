"""The gate: the code that estimates zones must return the published rate of the nation, else nothing is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagster_project.models.nonrecours import simulate
from dagster_project.models.nonrecours.calibration import MEASURES, Edition
from dagster_project.models.nonrecours.distributions import Incomes
from dagster_project.models.nonrecours.households import MARGINS
from dagster_project.models.nonrecours.parameters import METHODS, TIERS, Parameters

COMPUTED = "non_recours_calcule"
_MODEL = "calcul du modèle"
_FAILED = (
    "Le calcul sur la France donne {computed} % de non-recours, au lieu de {published} % à {tolerance} points près : "
    "tout le thème est retenu."
)


@dataclass(frozen=True)
class Gate:
    """What the gate says of an edition.

    Attributes:
        conform: whether zones may be published.
        reason: French text of why not; None when they may.
        rows: rows of the table `verrou` without edition and version.
    """

    conform: bool
    reason: str | None
    rows: tuple[dict[str, Any], ...]


def decimal(value: float) -> str:
    """A number as French readers write it, one decimal."""
    return f"{value:.1f}".replace(".", ",")


def closed(reason: str) -> Gate:
    """The gate of an edition whose national rate cannot be computed."""
    return Gate(False, reason, (_row(COMPUTED, None, "%", reason, False),))


def judge(edition: Edition, incomes: Incomes, parameters: Parameters) -> Gate:
    """Estimate the nation as any zone, and compare its total rate with the published one.

    Args:
        edition: the calibration, made tier by tier: that the total comes out is not given.
        incomes: the nation alone.
        parameters: tolerance of the comparison, in points.
    """
    margins = {name: np.array([np.nan]) for name in MARGINS}
    spread = np.zeros((len(simulate.LAWS), 1))
    found = simulate.shares(edition, incomes, margins, spread, slice(0, 1), parameters.private_share)
    share = float(simulate.centres(found, edition).sum(axis=1).mean())
    reference = edition.reference
    rate = reference.beneficiaries["total"] / reference.population
    computed, published = 100 * (1 - rate / share), 100 * reference.rates["total"]
    conform = bool(abs(computed - published) <= parameters.gate_tolerance)
    reason = (
        None
        if conform
        else _FAILED.format(
            computed=decimal(computed), published=decimal(published), tolerance=f"{parameters.gate_tolerance:g}"
        )
    )
    rows = [*_inputs(edition), _row("part_eligible_calculee", 100 * share, "%", _MODEL)]
    rows.append(_row("tolerance", parameters.gate_tolerance, "points", "spécification du modèle"))
    rows += [
        _row(f"non_recours_non_cale_{method}", 100 * (1 - rate / float(edition.raw[method].sum())), "%", _MODEL)
        for method in METHODS
    ]
    rows.append(_row(COMPUTED, computed, "%", _MODEL, conform))
    return Gate(conform, reason, tuple(rows))


def _inputs(edition: Edition) -> Iterator[dict[str, Any]]:
    reference = edition.reference
    for name in MEASURES:
        yield _row(f"beneficiaires_{name}", reference.beneficiaries[name], "personnes", reference.citation[name])
        yield _row(f"non_recours_{name}", 100 * reference.rates[name], "%", reference.citation[name])
    yield _row("population", reference.population, "personnes", reference.citation["total"])
    for k, tier in enumerate(TIERS):
        persons = float(edition.eligible[k]) * reference.population
        yield _row(f"eligibles_{tier}", persons, "personnes", "bénéficiaires / (1 − non-recours)")
        day = edition.rules.day.isoformat()
        yield _row(f"plafond_{tier}", float(edition.ceilings[k]), "euros par an", f"règles en vigueur le {day}")


def _row(name: str, value: float | None, unit: str, citation: str, conform: bool | None = None) -> dict[str, Any]:
    return {"entree": name, "valeur": value, "unite": unit, "citation": citation, "conforme": conform}
