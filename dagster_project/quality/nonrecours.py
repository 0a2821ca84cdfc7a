"""Non-take-up of the C2S in the quality report: the national check, and what became of each zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from dagster_project.quality.warehouse import rows_of

if TYPE_CHECKING:
    import duckdb

GATE = """
select vintage, entree as entry, valeur as number, unite as unit, citation, conforme as passed
from marts.mart_non_recours_verrou
order by vintage, passed is null, entry
"""
ZONES = """
select
    detail.vintage,
    detail.zone_level,
    detail.generation,
    detail.status,
    absence.label_fr as status_fr,
    if(detail.status = 'intervalle_large', null, detail.motif) as reason,
    count(*) as zones,
    count(*) filter (where detail.alarme) as alarms
from marts.mart_non_recours_detail as detail
left join reference.absence as absence on detail.status = absence.label
where detail.indicator_code = 'C_NR'
group by all
order by all
"""
LEVELS = {"QPV": "Quartiers", "HQPV": "Reste de leurs communes", "COM": "Communes", "EPCI": "EPCI"}
ENTRIES = {
    "non_recours_calcule": "Taux que rend le calcul appliqué à la France",
    "non_recours_total": "Taux national publié",
    "eligibles_np": "Éligibles, sans participation",
    "eligibles_p": "Éligibles, avec participation",
    "non_recours_non_cale_c1_spline": "Taux sans calage, quantiles (spline)",
    "non_recours_non_cale_c1_gb2": "Taux sans calage, quantiles (GB2)",
    "non_recours_non_cale_c2": "Taux sans calage, ménages synthétiques",
    "part_eligible_calculee": "Part éligible que rend le calcul",
    "plafond_np": "Plafond sans participation, une personne",
    "plafond_p": "Plafond avec participation, une personne",
    "tolerance": "Écart admis",
    "non_recours_np": "Taux publié, sans participation",
    "non_recours_p": "Taux publié, avec participation",
    "beneficiaires_np": "Bénéficiaires, sans participation",
    "beneficiaires_p": "Bénéficiaires, avec participation",
    "beneficiaires_total": "Bénéficiaires",
    "population": "Population de référence",
}


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GateEntry(_Row):
    """One input or result of the national check; `passed` is set on its result alone."""

    vintage: str
    entry: str
    number: float | None
    unit: str | None
    citation: str | None
    passed: bool | None

    @property
    def entry_fr(self) -> str:
        return ENTRIES.get(self.entry, self.entry.replace("_", " "))


class ZoneCount(_Row):
    """Zones of a level and an edition that share a status and its reason."""

    vintage: str
    zone_level: str
    generation: str
    status: str
    status_fr: str | None
    reason: str | None
    zones: int
    alarms: int

    @property
    def level_fr(self) -> str:
        return LEVELS.get(self.zone_level, self.zone_level)


class NonRecours(_Row):
    """The national check and what became of zones; empty where the theme was not built."""

    gate: list[GateEntry] = []
    zones: list[ZoneCount] = []


def nonrecours_of(connection: duckdb.DuckDBPyConnection) -> NonRecours:
    """What a built warehouse says of non-take-up."""
    return NonRecours(
        gate=[GateEntry(**row) for row in rows_of(connection, GATE)],
        zones=[ZoneCount(**row) for row in rows_of(connection, ZONES)],
    )
