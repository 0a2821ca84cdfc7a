"""Files of job offers: a page of the public board, the same board laid flat, a partner's list; and their truth."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

from dagster_project.demo_territory import city_names, names
from dagster_project.demo_territory.offers import BOARD, FLAT, LAST, LATER, PARTNER, Offer, Offers, siret
from dagster_project.demo_territory.truth import FOLDER
from dagster_project.demo_territory.writers import csv_bytes, words

PATHS = {
    BOARD: "jobs/api_offres_france_travail.sans_contact.json",
    FLAT: "jobs/offres_data_with_salary.sans_description.csv",
    PARTNER: "jobs/offres_partenaire.csv",
}
FLAT_COLUMNS = words(
    "id intitule rome_code rome_libelle appellation_libelle type_contrat nature_contrat experience_exigee "
    "experience_libelle lieu_libelle code_postal commune latitude longitude salaire_libelle salaire_min salaire_max "
    "salaire_unite duree_travail alternance nombre_postes nom_entreprise secteur_activite date_creation "
    "date_actualisation salaire_extrait"
)
PARTNER_COLUMNS = words(
    "offre_id source code_rome rome_version intitule date_creation date_fin nb_postes contrat commune_insee lat lon "
    "precision siret"
)
TRUTH_COLUMNS = words("source_a offre_a source_b offre_b doublon raison")
NATURE, BEGINNER, SECTOR = "Contrat travail", "Débutant accepté", "Activités fictives"
HOURS = "35H/semaine\nTravail en journée"
NO_TEXT = "[fictif]"
WAGES = ("Mensuel de 1850.0 Euros sur 12.0 mois", "Horaire de 12.10 Euros", "Annuel de 24000.0 Euros sur 12.0 mois")
OPEN_FOR = timedelta(days=45)
UNFILLED_UNTIL = LAST + timedelta(days=LATER)  # no offer is created later
FILLED = 8  # of so many offers, one is filled and closes at its first end
SOURCE = "interim_fictif"


def files(offers: Offers) -> dict[str, bytes]:
    """The three boards, and doublons_offres.csv: pairs that look alike, `doublon` 1 when they are one offer."""
    boards = offers.boards
    pairs = [
        [pair.first.board, pair.first.number, pair.second.board, pair.second.number, str(int(pair.same)), pair.why]
        for pair in offers.pairs
    ]
    return {
        PATHS[BOARD]: _page(boards[BOARD]),
        PATHS[FLAT]: _flat(boards[FLAT]),
        PATHS[PARTNER]: csv_bytes(PARTNER_COLUMNS, [_partner_row(rank, o) for rank, o in enumerate(boards[PARTNER])]),
        f"{FOLDER}/doublons_offres.csv": csv_bytes(TRUTH_COLUMNS, pairs, separator=",", line_end="\n"),
    }


def _post_code(offer: Offer) -> str:
    return f"{offer.commune.departement}9{offer.commune.code[-2:]}"  # no post office has one


def _instants(offer: Offer) -> tuple[str, str]:
    later = offer.created + timedelta(minutes=7)
    return f"{offer.created:%Y-%m-%dT%H:%M:%S}.000Z", f"{later:%Y-%m-%dT%H:%M:%S}.000Z"


def _where(offer: Offer) -> str:
    departement = offer.commune.departement
    return f"{departement} - {names.DEPARTEMENTS[departement] if offer.lon is None else offer.commune.name}"


def _employer(offer: Offer) -> str:
    return f"{city_names.EMPLOYERS[offer.employer]} {city_names.FICTITIOUS}" if offer.named else ""


def _page(offers: list[Offer]) -> bytes:
    counts = {kind: sum(offer.contract == kind for offer in offers) for kind in ("CDD", "CDI", "MIS")}
    filters = [
        {
            "filtre": "typeContrat",
            "agregation": [{"valeurPossible": kind, "nbResultats": count} for kind, count in counts.items()],
        }
    ]
    page = {"resultats": [_result(rank, offer) for rank, offer in enumerate(offers)], "filtresPossibles": filters}
    return (json.dumps(page, ensure_ascii=False, indent=1) + "\n").encode()


def _result(rank: int, offer: Offer) -> dict[str, Any]:
    created, updated = _instants(offer)
    place: dict[str, Any] = {"libelle": _where(offer)}
    if offer.lon is not None:
        place |= {"latitude": offer.lat, "longitude": offer.lon}
        place |= {"codePostal": _post_code(offer), "commune": offer.commune.code}
    employer = {"nom": _employer(offer)} if offer.named else {}
    return {
        "id": offer.number,
        "intitule": offer.title,
        "description": NO_TEXT,
        "dateCreation": created,
        "dateActualisation": updated,
        "lieuTravail": place,
        "romeCode": offer.job.code,
        "romeLibelle": offer.job.person,
        "appellationlibelle": offer.job.person,
        "entreprise": employer | {"entrepriseAdaptee": False},
        "typeContrat": offer.contract,
        "typeContratLibelle": offer.contract,
        "natureContrat": NATURE,
        "experienceExige": "D",
        "experienceLibelle": BEGINNER,
        "salaire": {"libelle": WAGES[rank % len(WAGES)]},
        "dureeTravailLibelle": HOURS,
        "dureeTravailLibelleConverti": "Temps plein",
        "alternance": False,
        "nombrePostes": offer.posts,
        "accessibleTH": False,
        "qualificationCode": "6",
        "qualificationLibelle": "Employé qualifié",
        "codeNAF": "00.00Z",
        "secteurActivite": "00",
        "secteurActiviteLibelle": SECTOR,
        "origineOffre": {"origine": "1", "urlOrigine": f"https://demonstration.invalid/offres/{offer.number}"},
        "offresManqueCandidats": False,
    }


def _flat(offers: list[Offer]) -> bytes:
    """Codes of communes and post offices went through floats, and hours hold a line end, as in the real file."""
    rows = []
    for rank, offer in enumerate(offers):
        known = offer.lon is not None
        place = [f"{_post_code(offer)}.0", f"{offer.commune.code}.0"] if known else ["", ""]
        point = [repr(offer.lat), repr(offer.lon)] if known else ["", ""]
        job = [offer.job.code, offer.job.person, offer.job.person, offer.contract, NATURE, "D", BEGINNER]
        pay = [WAGES[rank % len(WAGES)], "", "", ""]
        work = [HOURS, "False", str(offer.posts), _employer(offer), SECTOR]
        rows.append(
            [offer.number, offer.title, *job, _where(offer), *place, *point, *pay, *work, *_instants(offer), ""]
        )
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([FLAT_COLUMNS, *rows])
    return text.getvalue().encode()


def _end(rank: int, offer: Offer) -> datetime:
    """The partner renews an offer until it is filled: most are still open on the day of the snapshot."""
    end = offer.created + OPEN_FOR
    while rank % FILLED and end < UNFILLED_UNTIL:
        end += OPEN_FOR
    return end


def _partner_row(rank: int, offer: Offer) -> list[str]:
    """The partner knows the older version of the ROME every second time, where the code is one of both."""
    older = offer.job.code == offer.job.parent and rank % 2 == 0
    end = _end(rank, offer)
    point = ["", ""] if offer.lat is None or offer.lon is None else [f"{offer.lat:.6f}", f"{offer.lon:.6f}"]
    job = [offer.job.code, "v3" if older else "v4", offer.title]
    when = [f"{offer.created:%Y-%m-%d}", f"{end:%Y-%m-%d}"]
    place = [offer.commune.code, *point, "adresse" if offer.precise else "commune"]
    return [offer.number, SOURCE, *job, *when, str(offer.posts), offer.contract, *place, siret(offer.employer)]
