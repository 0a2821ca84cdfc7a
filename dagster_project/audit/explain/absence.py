"""Why a model of access to work gives a zone no value: what the release says, in French."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.audit.explain.figure import Figure
from dagster_project.audit.recompute.formulas import MODELLED
from dagster_project.audit.recompute.weighted import OFFERS, TRIPS
from dagster_project.audit.release_folder import records
from dagster_project.pages.numbers import quantity
from dagster_project.release.verifier_preuve import COUVERTURE_MINIMALE

if TYPE_CHECKING:
    import duckdb

KEPT = "retenu"
NETWORKS = "select distinct kind, dataset, vintage, file, status, reason_fr from mart_reseau order by all"
CONVENTION = (
    "La demande par métier de ce quartier n’est remise que par convention (partenaire_demande_rome), et le marché du "
    "travail publié ne la donne pas non plus à une maille au-dessus : sans demande, pas de chiffre."
)
MASKED = (
    "Tous les effectifs de la demande par métier de ce quartier sont masqués (« ns ») dans le fichier de convention : "
    "aucun poids ne peut en être tiré."
)
NO_JOURNEY = (
    "Aucun trajet n’a été calculé depuis cette zone vers les lieux des offres : elle n’est dans aucun réseau retenu, "
    "ou aucune offre localisée n’est dans le bassin."
)
NO_TIMETABLE = "Aucun trajet à pied ou en transports n’a été calculé depuis cette zone."
NO_OFFER = "Aucune offre du bassin ne répond aux métiers recherchés : le rapport n’a pas de dénominateur."
NO_PLACE = "Aucun lieu d’emploi n’est atteint par les modes de ce chiffre : le rapport n’a pas de dénominateur."
STOPS = ("D_ARRETS", "D_COUV")


def modelled_absence(connection: duckdb.DuckDBPyConnection, figure: Figure) -> str | None:
    """Why the figure has no value; None when it has one, or when another model makes it."""
    row = figure.row
    if row["method"] != MODELLED or row["value"] is not None:
        return None
    reasons = {OFFERS: _offers, TRIPS: _trips}
    explained = reasons.get(row.get("model") or "")
    return explained(connection, figure) if explained else None


def _offers(connection: duckdb.DuckDBPyConnection, figure: Figure) -> str | None:
    row = figure.row
    if row["status"] == "non_couvert":
        where = f"{NO_TIMETABLE} " if row["indicator_code"].endswith("30TC") else f"{NO_JOURNEY} "
        return where + _networks(connection)
    return {"convention": CONVENTION, "secret_primaire": MASKED, "nd": NO_OFFER}.get(row["status"])


def _trips(connection: duckdb.DuckDBPyConnection, figure: Figure) -> str:
    row = figure.row
    coverage = row["coverage"]
    if coverage is None:
        stops = row["indicator_code"] in STOPS
        what = "Aucun horaire retenu ne dessert cette zone" if stops else "Cette zone n’est dans aucun réseau retenu"
        return f"{what} : rien n’y est calculé. {_networks(connection)}"
    if coverage < COUVERTURE_MINIMALE:
        known, least = quantity(coverage * 100, "%", 1), quantity(COUVERTURE_MINIMALE * 100, "%", 0)
        return f"Les réseaux ne rendent que {known} des habitants de la zone : sous {least}, pas de chiffre."
    return (
        "Aucun lieu d’emploi n’est atteint par les modes que compare ce chiffre : le rapport n’a pas de dénominateur."
    )


def _networks(connection: duckdb.DuckDBPyConnection) -> str:
    """What the networks of the release are, and why others were not kept."""
    rows = records(connection, NETWORKS)
    if not rows:
        return "La version n’a ni rues ni horaires (mart_reseau)."
    kept = [f"{row['kind']} {_name(row)}" for row in rows if row["status"] == KEPT]
    refused = [f"{row['kind']} {_name(row)} ({row['reason_fr']})" for row in rows if row["status"] != KEPT]
    told = f"Réseaux retenus : {', '.join(kept) or 'aucun'}."
    return told + (f" Écartés : {' ; '.join(refused)}." if refused else "")


def _name(row: dict[str, str]) -> str:
    return f"{row['file'] if row['kind'] == 'rues' else row['dataset']} {row['vintage']}"
