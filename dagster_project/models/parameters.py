"""Choices of the vulnerability index, all of them published with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from dagster_project.models.composite import Winsorisation

SOCIO, SANTE = "A_SOCIO", "A_SANTE"
COMPONENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {SANTE: ("A_ASTHME", "A_DIAB", "A_ALD"), SOCIO: ("A_HLM", "A_IMM", "A_C2SNP")}
)


@dataclass(frozen=True)
class Parameters:
    """Choices that make an index.

    Attributes:
        components: components expected of each index.
        weights: nominal weight of each component; 1 where none is given.
        directions: 1 when a high value is worse (the default), -1 when it is better.
        winsorisation: whether components are held between the tails: always, by the JRC rule, or never.
        tails: shares of the population at which they are held.
        min_share: share of the components under which no index is computed.
        cut_quantile: population-weighted quantile from which a zone is fragile.
        draws: number of Monte-Carlo draws.
        seed: seed of the draws.
        concentration: total of the Dirichlet's parameters; 30 gives three equal weights a standard deviation of a
            quarter of their value.
        interval: coverage of the published intervals.
        stable_from: probability from which a class is said stable.
    """

    components: Mapping[str, tuple[str, ...]] = COMPONENTS
    weights: Mapping[str, float] = field(default_factory=dict)
    directions: Mapping[str, int] = field(default_factory=dict)
    winsorisation: Winsorisation = "p1p99"
    tails: tuple[float, float] = (0.01, 0.99)
    min_share: float = 2 / 3
    cut_quantile: float = 0.75
    draws: int = 1000
    seed: int = 20231124
    concentration: float = 30.0
    interval: float = 0.90
    stable_from: float = 0.90

    def __post_init__(self) -> None:
        if self.draws < 1 or not 0 < self.cut_quantile < 1 or not self.concentration > 0:
            raise ValueError("Parameters: draws ≥ 1, 0 < cut_quantile < 1 and concentration > 0 are expected.")
        if any(direction not in (-1, 1) for direction in self.directions.values()):
            raise ValueError("Parameters: a direction is 1 (high is worse) or -1 (high is better).")
        if any(not weight > 0 for weight in self.weights.values()):
            raise ValueError("Parameters: a nominal weight is positive; leave out the component instead.")
