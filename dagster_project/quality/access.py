"""What became of streets, timetables, offers and journeys, as the quality report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from dagster_project.quality.warehouse import rows_of

if TYPE_CHECKING:
    import duckdb

NETWORKS = """
select
    dataset, vintage, file, kind, any_value(status) as status, any_value(reason_fr) as reason,
    coalesce(
        list(struct_pack(count := problem_count, text := problem_fr) order by problem)
            filter (where problem_count is not null),
        []
    ) as problems
from marts.mart_reseau
group by all
order by kind desc, dataset, vintage, file
"""
OFFERS = """
select vintage, source, mesure as measure, n_offres as offers, n_postes as posts
from marts.mart_offres_compte
order by all
"""
TRIPS = """
select kind, mode, moment, n_trajets as computed, n_hors_atteinte as out_of_reach
from marts.mart_trajets_compte
order by all
"""
# Measures of offers in the order that they are told: received, what is taken out, what is kept and what it lacks.
MEASURES = {
    "recues": "Reçues",
    "doublon_meme_source": "Répétées dans la même source",
    "doublon_entre_sources": "Déjà dans une autre source",
    "close": "Closes (date de fin passée)",
    "disparue": "Disparues (le site ne les rend plus)",
    "retenues": "Retenues",
    "sans_rome": "Retenues, sans métier (code ROME)",
    "sans_localisation": "Retenues, sans lieu",
    "precision_adresse": "Retenues, situées à l’adresse",
    "precision_commune": "Retenues, situées à la commune",
}
KINDS = {"rues": "Rues", "horaires": "Horaires"}
STATUSES = {
    "retenu": "retenu",
    "hors_zone": "hors de la zone",
    "hors_validite": "hors de sa période de validité",
    "refuse": "refusé",
}
MODES = {"voiture": "Voiture", "velo": "Vélo", "marche": "Marche", "tc": "Transports en commun"}
MOMENTS = {"aller": "aller, le matin", "retour": "retour, le soir"}
PLACES = {"lieux_emploi": "lieux d’emploi", "offres": "lieux des offres"}


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Row):
    """Something wrong in a network, how many times, and what is done of it."""

    count: int
    text: str


class Network(_Row):
    """A street network or a timetable: what it became, and why."""

    dataset: str
    vintage: str
    file: str
    kind: str
    status: str
    reason: str
    problems: list[Problem] = []

    @property
    def kind_fr(self) -> str:
        return KINDS.get(self.kind, self.kind)

    @property
    def status_fr(self) -> str:
        return STATUSES.get(self.status, self.status)


class OfferCount(_Row):
    """Offers and posts of a source under one measure; `measure` is that of `mart_offres_compte`."""

    vintage: str
    source: str
    measure: str
    offers: int
    posts: int

    @property
    def measure_fr(self) -> str:
        return MEASURES.get(self.measure, self.measure)


class TripCount(_Row):
    """Journeys computed by a mode at a moment, and those without a way."""

    kind: str
    mode: str
    moment: str
    computed: int
    out_of_reach: int

    @property
    def mode_fr(self) -> str:
        return f"{MODES.get(self.mode, self.mode)}, {MOMENTS.get(self.moment, self.moment)}"

    @property
    def kind_fr(self) -> str:
        return PLACES.get(self.kind, self.kind)

    @property
    def share(self) -> float:
        """Per cent out of reach."""
        return 100 * self.out_of_reach / self.computed if self.computed else 0.0


class Access(_Row):
    """Streets and timetables, offers, journeys; all empty where none was received."""

    networks: list[Network] = []
    offers: list[OfferCount] = []
    trips: list[TripCount] = []

    @property
    def told(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.networks or self.offers or self.trips)


def access_of(connection: duckdb.DuckDBPyConnection) -> Access:
    """What a built warehouse says of access to work; measures in the order of MEASURES, modes in that of MODES."""
    offers = [OfferCount(**row) for row in rows_of(connection, OFFERS)]
    trips = [TripCount(**row) for row in rows_of(connection, TRIPS)]
    return Access(
        networks=[Network(**row) for row in rows_of(connection, NETWORKS)],
        offers=sorted(offers, key=lambda row: (row.vintage, row.source, _rank(MEASURES, row.measure), row.measure)),
        trips=sorted(trips, key=lambda row: (row.kind, _rank(MODES, row.mode), row.moment)),
    )


def _rank(words: Mapping[str, str], name: str) -> int:
    """Place of a name among those that have words; those without come last."""
    return list(words).index(name) if name in words else len(words)
