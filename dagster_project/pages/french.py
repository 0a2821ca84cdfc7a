"""French words and typography for what auditors read."""

from __future__ import annotations

import re
import unicodedata

from dagster_project.pages.numbers import NO_BREAK, THIN

LEVELS = {
    "QPV": "quartier prioritaire",
    "HQPV": "reste de la commune",
    "IRIS": "IRIS",
    "COM": "commune",
    "EPCI": "intercommunalité (EPCI)",
    "UUENV": "reste de l’unité urbaine",
    "DEP": "département",
    "REG": "région",
    "FRM": "France métropolitaine",
    "ENSQPV": "ensemble des quartiers prioritaires",
}
GENERATIONS = {"QP2015": "périmètres de 2015", "QN2024": "périmètres de 2024", "COG": "code officiel géographique"}
METHODS = {
    "M0": "valeur publiée ou rapport de valeurs publiées pour la zone même",
    "M1": "somme d’unités localisées dans la zone",
    "M2": "report depuis les IRIS, par des poids de passage",
    "M3": "report depuis les carreaux de 200 m, par des poids de passage",
    "M4": "modèle statistique",
}
# Units that figures are made of: one, several.
UNITS = {"IRIS": ("IRIS", "IRIS"), "CARREAU": ("carreau", "carreaux"), "LOGEMENT": ("bâtiment", "bâtiments")}
# What the terms of weighted sums name, by the variable of their cells.
UNIT_OF_TERM = {"iris_employeurs": "IRIS", "offres": "offre", "demande_rome": "métier"}
BASES = {
    "dwellings": "logements",
    "tiles": "carreaux habités",
    "population": "surface, calée sur la population publiée du quartier",
    "area": "surface seule",
    "nested": "unité entière",
}
ROLES = {
    "value": "valeur",
    "numerator": "numérateur",
    "denominator": "dénominateur",
    "set_aside": "cellule d’une unité écartée",
    "parameter": "paramètre",
    "weight": "poids de passage",
    "key": "cellule qui nomme la zone",
    "note": "note du producteur",
    "zone": "cellule par laquelle la zone existe",
    "zone_type": "cellule qui dit de quel type est la zone",
}
# Roles that have another meaning in figures of models.
OF_MODELS = {"weight": "demandeurs du métier, dont vient le poids"}
COPIES = {
    "producer_bytes": "octets du producteur",
    "third_party": "copie faite par un tiers",
    "demo": "fichier fictif de démonstration",
}
CORRECTIONS = {
    "override": "valeur remplacée par",
    "scale": "valeur multipliée par",
    "drop": "valeur écartée",
    "flag": "valeur signalée, inchangée",
}
SOURCES = {
    "demo": "territoire de démonstration (fictif)",
    "mirror": "copies des fichiers des producteurs",
    "live": "adresses officielles",
    "inbox": "fichier déposé à la main",
}
TERRITORIES = {"france": "France", "west": "Bretagne et Pays de la Loire"}
SEVERITIES = {"critical": "bloquante", "warning": "avertissement", "info": "information"}
STATUSES = {
    "ok": "publié",
    "estime": "estimé",
    "secret_primaire": "secret",
    "secret_secondaire": "secret (secondaire)",
    "nd": "non disponible",
    "non_couvert": "hors du champ",
    "convention": "en attente d’une convention",
    "intervalle_large": "classe seule (trop incertain)",
    "retenu": "retenu (contrôle national)",
}


def territory(code: str) -> str:
    """West → Bretagne et Pays de la Loire; dep:35,44 → départements 35, 44."""
    return TERRITORIES.get(code, code.replace("dep:", "départements ").replace(",", ", "))


def typeset(text: str) -> str:
    """A sentence with the no-break spaces that French asks for around : ; ? ! « » and before %."""
    text = re.sub(r" (?=[;?!%])", THIN, text)
    return re.sub(r"(?<=«) | (?=[:»])", NO_BREAK, text)


def visible(text: str | None) -> str:
    """The text with what the eye misses spelt out: no-break spaces, tabs, blanks at either end, controls."""
    if text is None:
        return ""
    inner = (len(text) - len(text.lstrip(" ")), len(text.rstrip(" ")))
    return "".join(
        f"[U+{ord(c):04X}]" if _unseen(c) or (c == " " and not inner[0] <= i < inner[1]) else c
        for i, c in enumerate(text)
    )


def _unseen(character: str) -> bool:
    return character != " " and unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cn", "Cs"}
