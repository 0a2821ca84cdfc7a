"""What is kept of an offer: a list of fields, so that what the API adds one day stays out until somebody lets it in.

Contacts, agencies and free descriptions hold names, addresses and telephone numbers of persons: they are dropped
before anything is written, and the title, the only free text kept, is cleared of addresses and numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Offer = dict[str, Any]

# None: a plain value; a mapping: an object of which the named fields are kept
KEPT: dict[str, dict[str, None] | None] = {
    **dict.fromkeys(("id", "intitule", "romeCode", "romeLibelle", "appellationlibelle")),
    **dict.fromkeys(("dateCreation", "dateActualisation", "nombrePostes", "alternance")),
    **dict.fromkeys(("typeContrat", "typeContratLibelle", "natureContrat", "dureeTravailLibelleConverti")),
    **dict.fromkeys(("qualificationCode", "codeNAF", "secteurActivite")),
    "lieuTravail": dict.fromkeys(("libelle", "latitude", "longitude", "codePostal", "commune")),
    # employer: tells the same post advertised twice; never published
    "entreprise": dict.fromkeys(("nom", "siret")),
    "origineOffre": dict.fromkeys(("origine",)),
}
_MASK = "[retiré]"
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<!\d)(?:\+33|0033|0)[ .-]?[1-9](?:[ .-]?\d{2}){4}(?!\d)")


def kept(offer: Mapping[str, Any]) -> Offer:
    """The fields of KEPT that the offer has, as plain values."""
    found = _plain(offer, [name for name, fields in KEPT.items() if fields is None])
    for name, fields in KEPT.items():
        if fields is not None and isinstance(inner := offer.get(name), Mapping):
            found[name] = _plain(inner, fields)
    if isinstance(title := found.get("intitule"), str):
        found["intitule"] = _PERSONAL.sub(_MASK, title)
    return found


def canonical(offers: Iterable[Offer]) -> bytes:
    """Offers sorted by id, each with its fields in order: the same offers give the same bytes."""
    return dumped({"resultats": sorted(offers, key=lambda offer: str(offer["id"]))})


def dumped(content: object) -> bytes:
    """JSON that does not depend on the order in which things came."""
    return (
        json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"
    ).encode()


def departement_of(offer: Offer) -> str | None:
    """Code of the département, from the commune or else from `26 - Drôme`; None for a whole region or abroad."""
    place = offer.get("lieuTravail") or {}
    for text, pattern in (
        (place.get("commune"), r"(97\d|98\d|\d[\dAB])\w*"),
        (place.get("libelle"), r"(\d[\dAB]\d?) - .*"),
    ):
        if isinstance(text, str) and (found := re.fullmatch(pattern, text, re.DOTALL)):
            return found[1]
    return None


def is_located(offer: Offer) -> bool:
    """Whether the offer has coordinates."""
    place = offer.get("lieuTravail") or {}
    return isinstance(place.get("latitude"), int | float) and isinstance(place.get("longitude"), int | float)


def _plain(source: Mapping[str, Any], names: Iterable[str]) -> Offer:
    return {name: source[name] for name in names if isinstance(source.get(name), str | int | float | bool)}
