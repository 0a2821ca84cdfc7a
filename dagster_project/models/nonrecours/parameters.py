"""Choices of the model of non-take-up, all of them published with it."""

from __future__ import annotations

from dataclasses import dataclass

MODEL_VERSION = "non-recours-c2s 1.0.0"
METHODS = ("c1_spline", "c1_gb2", "c2")
TIERS = ("np", "p")
NATION = "FRM"
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Parameters:
    """Choices that make an estimate.

    Attributes:
        draws: number of Monte-Carlo draws, shared as evenly as can be among the three methods.
        seed: seed of the draws; each zone has its own stream, named by its key.
        interval: coverage of the published intervals, and of `rate_margin`.
        rate_margin: half-width, in points, of the interval of the published national rates of non-take-up.
        rounding: euros to which published quantiles are rounded.
        zone_sd: relative standard deviation of the calibration from one zone to another.
        coverage_sd: relative standard deviation of a rate measured on persons covered by the régime général.
        population_sd: relative standard deviation of the population of a zone.
        age_sd: relative standard deviation of the share of an age among the eligible persons of a zone.
        max_width: width in points beyond which the interval of a rate gives a class, and no number.
        gate_tolerance: points between the computed and the published national rate.
        mixture_tolerance: how far the distribution of a rest of commune may leave 0–1, or fall.
        min_quantiles: quantiles a zone must have.
        low_order: order at or under which a zone must have one of them.
        housing_benefit: euros a year of a household that gets it (DREES, Dossiers 42: 225 € a month in 2017).
        private_share: share of tenants who get it among households outside social housing that are near the ceilings
            (INSEE Analyses Auvergne-Rhône-Alpes 121: poor households are as often owners as private tenants).
        social_standard: median income of persons in social housing, the nation's being 1 (INSEE Première 1715).
        other_standard: the same outside social housing.
        chunk: zones computed at once.
    """

    draws: int = 1000
    seed: int = 20231124
    interval: float = 0.90
    rate_margin: float = 2.0
    rounding: float = 10.0
    zone_sd: float = 0.05
    coverage_sd: float = 0.02
    population_sd: float = 0.01
    age_sd: float = 0.10
    max_width: float = 15.0
    gate_tolerance: float = 2.0
    mixture_tolerance: float = 0.01
    min_quantiles: int = 5
    low_order: float = 0.25
    housing_benefit: float = 2700.0
    private_share: float = 0.5
    social_standard: float = 0.74
    other_standard: float = 1.08
    chunk: int = 500

    def __post_init__(self) -> None:
        if self.draws < len(METHODS) or self.chunk < 1 or not 0 < self.interval < 1:
            raise ValueError("Parameters: draws ≥ 3, chunk ≥ 1 and 0 < interval < 1 are expected.")
        if min(self.rate_margin, self.zone_sd, self.coverage_sd, self.population_sd, self.age_sd, self.rounding) < 0:
            raise ValueError("Parameters: a margin or a standard deviation is not negative.")
