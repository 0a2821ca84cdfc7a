"""Choices of the profile model, all of them published with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CONSTANT = "constante"
# Modalities of each variable; the first is the reference, the most frequent in QPV.
MODALITIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "type_menage": ("seul", "couple_sans_enfant", "couple_avec_enfants", "monoparental", "autre"),
        "tranche_age": ("18_59", "moins_18", "60_plus"),
        "statut_occupation": ("social", "prive", "proprietaire", "autre"),
    }
)


@dataclass(frozen=True)
class ProfileParameters:
    """Choices that make the model.

    Attributes:
        level: coverage of the published intervals.
        prior_sd: standard deviation of an effect, on the logit scale, when data alone cannot bound it.
        diverged: effect, on the logit scale, past which it is said unbounded: odds multiplied by 22,000.
        iterations: most Newton steps of a fit.
        tolerance: longest last step of a fit, on the logit scale.
        hidden_odds: probability of being hidden under which a cell says how good predictions are.
        slices: classes of prediction of equal numbers of persons.
        folds: parts of the cells that are predicted from the others.
        least_cells: cells under which nothing is estimated, nor calibration measured.
    """

    level: float = 0.90
    prior_sd: float = 2.5
    diverged: float = 10.0
    iterations: int = 60
    tolerance: float = 1e-9
    hidden_odds: float = 0.01
    slices: int = 10
    folds: int = 10
    least_cells: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.level < 1 or not self.prior_sd > 0:
            raise ValueError("ProfileParameters: 0 < level < 1 and prior_sd > 0 are expected.")
        if min(self.iterations, self.slices - 1, self.folds - 1) < 1:
            raise ValueError("ProfileParameters: at least one iteration, two slices and two folds are expected.")
