"""Vérifie la preuve d’un chiffre : python3 verifier_preuve.py PREUVE.json [--source FICHIER …].

Ce programme ne demande que Python (3.8 ou plus récent) : ni réseau, ni base de données, ni autre paquet. Il contrôle
que la preuve est intacte à l’octet près, puis refait le calcul : il lit le texte de chaque cellule comme le producteur
l’a écrit, applique les corrections déclarées et la formule, et compare au chiffre publié jusqu’à la dernière décimale.

Seul, il établit que le chiffre découle des cellules citées. Avec --source, il vérifie l’empreinte du fichier d’origine
et y relit ces cellules (CSV, même dans un zip). Codes de sortie : 0 acceptée, 1 refusée, 2 fichier illisible.

Il tient en un seul fichier pour qu’on puisse le copier, le lire et le lancer seul.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import math
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

FORMAT = "data-et-quartiers/preuve/2"
FICTIF = "DONNÉES FICTIVES : territoire, noms, codes et chiffres sont inventés pour la démonstration."
CALCUL = ("value", "numerator", "denominator")
ECARTEE = "set_aside"
COMPTABLES = (*CALCUL, ECARTEE)
AUTRES_ROLES = ("key", "note", "zone", "zone_type")
# Les unités dont un chiffre reporté est fait, selon sa méthode ; part des habitants de la zone qu’elles doivent rendre.
NIVEAUX = {"M1": "LOGEMENT", "M2": "IRIS", "M3": "CARREAU"}
COUVERTURE_MINIMALE, COUVERTURE_PLEINE, POUR_L_ESSENTIEL = 0.2, 0.5, 0.5
ENTIERES = ("COM", "EPCI", "DEP", "REG")
_NOMBRE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_UTF8 = ("utf-8", "utf8", "utf-8-sig", "ascii")


def _champs(noms: str, **imbriques: Any) -> dict[str, Any]:
    return dict(dict.fromkeys(noms.split()), **imbriques)


# Le contenu d’une preuve : un objet a ces champs et aucun autre ; [x] est une liste de x ; (x,) est x ou rien.
_FICHIER = _champs(
    "nom sha256 taille recu_le adresse copie producteur titre citation licence licence_url page",
    lecture=_champs("format encodage separateur ligne_entete"),
)
_ENTREE = _champs(
    "numero role terme variable poids jeu fichier membre ligne colonne texte",
    motif=(_champs("statut libelle"),),
    recherche=(_champs("colonne code"),),
    correction=(_champs("identifiant action valeur motif signalee_par signalee_le"),),
)
_SECTIONS = {
    "version": _champs("identifiant construction sources territoire"),
    "chiffre": _champs(
        "cle indicateur niveau zone nom_zone generation edition periode "
        "valeur numerateur denominateur couverture unite statut methode"
    ),
    "definition": _champs("libelle definition formule mesusage"),
    "formule": _champs(
        "chemin echelle", termes=[_champs("role variable coefficient niveau_de_depart variable_de_base")]
    ),
}
_LISTES = {"fichiers": [_FICHIER], "unites": [_champs("code poids fondement habitants")], "entrees": [_ENTREE]}
_SINGULIER = {"fichiers": "fichier", "unites": "unité", "entrees": "entrée"}
_PREUVE = _champs("format avertissement sceau empreintes", **_SECTIONS, **_LISTES)


class LectureError(ValueError):
    """Un fichier d’origine ne peut être lu ; le message dit pourquoi."""


# --- Le calcul


def nombre(texte: str | None) -> float | None:
    """Le nombre que le producteur a écrit, ou None. Espace, U+00A0 et U+202F ôtées, virgule lue comme un point."""
    nu = (texte or "").replace(" ", "").replace("\u00a0", "").replace("\u202f", "").replace(",", ".")
    lu = float(nu) if _NOMBRE.fullmatch(nu) else math.nan
    return lu if math.isfinite(lu) else None


def valeur_corrigee(texte: str | None, action: str | None, donnee: float | None) -> float | None:
    """La valeur du producteur, sauf si une correction déclarée la remplace, la multiplie ou l’écarte."""
    if action in ("override", "drop"):
        return donnee if action == "override" else None
    lu = nombre(texte)
    return donnee * lu if action == "scale" and None not in (donnee, lu) else lu  # type: ignore[operator]


def calculer(
    termes: Iterable[tuple[str, Any, float, float | None]], echelle: float
) -> tuple[float | None, float | None, float | None]:
    """Valeur, numérateur et dénominateur d’un chiffre, d’après ses termes (rôle, nom, poids, valeur).

    Les sommes partent de 0 et suivent l’ordre des noms (la variable, ou l’unité et la variable) ; la division vient en
    dernier. Une cellule sans valeur, ou un dénominateur nul, ne donne pas de valeur.
    """
    sommes: dict[str, float] = {}
    for role, _, poids, valeur in sorted(termes, key=lambda terme: terme[:2]):
        if valeur is None:
            return None, None, None
        sommes[role] = sommes.get(role, 0.0) + poids * valeur
    if "value" in sommes:
        return sommes["value"], None, None
    numerateur, denominateur = sommes.get("numerator"), sommes.get("denominator")
    quotient = echelle * numerateur / denominateur if denominateur and numerateur is not None else None
    return quotient, numerateur, denominateur


def nom_du_terme(terme: str) -> tuple[str, str]:
    """L’unité et la variable d’un terme de chiffre reporté, écrit « unité:variable »."""
    unite, _, variable = terme.rpartition(":")
    return unite, variable


def multiplier(
    cellules: Iterable[tuple[str, str, str, float, float | None]],
) -> list[tuple[str, tuple[str, str], float, float | None]]:
    """Les termes d’un chiffre reporté : les cellules (rôle, terme, variable, poids, valeur) d’un terme se multiplient.

    La variable du terme vient d’abord, puis celle dont elle est une part.
    """
    produits: dict[tuple[str, tuple[str, str]], float | None] = {}
    rangees = [(role, nom_du_terme(terme), variable, poids, lue) for role, terme, variable, poids, lue in cellules]
    for role, nom, _, poids, lue in sorted(rangees, key=lambda cellule: (cellule[2] != cellule[1][1], cellule[2])):
        facteur, avant = None if lue is None else poids * lue, produits.get((role, nom), 1.0)
        produits[role, nom] = None if facteur is None or avant is None else avant * facteur
    return [(role, nom, 1.0, produit) for (role, nom), produit in produits.items()]


def couverture(niveau: str, unites: Iterable[tuple[str, float, float | None]], completes: Iterable[str]) -> float:
    """Part des habitants de la zone que rendent les unités complètes ; les unités sont (code, poids, habitants).

    D’un IRIS ne comptent que ceux qui sont pour l’essentiel dans la zone ; les bâtiments comptent pour un chacun. Une
    unité dont nul ne donne la population a celle de l’unité moyenne de la zone.
    """
    rangees, retenues = sorted(unites, key=lambda unite: unite[0]), frozenset(completes)
    if niveau == "LOGEMENT":
        return sum(code in retenues for code, _, _ in rangees) / len(rangees) if rangees else 0.0
    # Une boucle, pas sum() : celle-ci compense les arrondis, ce que ne fait pas le calcul d’origine.
    peuples = poids_connu = total = rendus = 0.0
    for _, poids, habitants in rangees:
        if habitants is not None:
            peuples, poids_connu = peuples + habitants, poids_connu + poids
    moyenne = peuples / poids_connu if poids_connu else 0.0
    for code, poids, habitants in rangees:
        comptes = poids * moyenne if habitants is None else habitants
        total += comptes
        if code in retenues and (niveau != "IRIS" or poids >= POUR_L_ESSENTIEL):
            rendus += comptes
    return rendus / total if total else 0.0


def statut_reporte(valeur: float | None, part: float, statuts: Sequence[str], zone: str) -> str:
    """Le statut d’un chiffre reporté : ce que dit la couverture ou, sans valeur, le motif de ses cellules.

    Une zone faite d’unités entières n’a pas d’intervalle mesuré : mal couverte, elle n’a pas de chiffre.
    """
    if valeur is None:
        absence = statut_du_chiffre(statuts)
        return "nd" if absence == "ok" else absence
    minimum = COUVERTURE_PLEINE if zone in ENTIERES else COUVERTURE_MINIMALE
    return "non_couvert" if part < minimum else "estime" if part < COUVERTURE_PLEINE else "ok"


def statuts_des_unites(
    unites: Iterable[tuple[str, float, float | None]], variables: Sequence[str], lus: dict[tuple[str, str, str], str]
) -> list[str]:
    """Le statut de chaque terme de chaque unité ; d’une unité sans cellule, le fichier ne dit rien."""
    return [lus.get((code, nom, nom), "non_couvert") for code, _, _ in unites for nom in variables]


def statut_du_chiffre(statuts: Sequence[str]) -> str:
    """Le statut d’un chiffre d’après ceux de ses cellules : le motif le plus fort l’emporte."""
    for unanime in ("ok", "non_couvert"):
        if all(statut == unanime for statut in statuts):
            return unanime
    forts = [fort for fort in ("secret_primaire", "secret_secondaire", "convention") if fort in statuts]
    return forts[0] if forts else "nd"


def statut_evident(texte: str | None, ligne: int | None, action: str | None) -> str | None:
    """Le statut d’une cellule sans valeur, quand elle le dit à elle seule ; None si elle est vide."""
    if ligne is None:
        return "non_couvert"
    marque = "nd" if action == "drop" else (texte or "").strip(" ").lower()
    return {"ns": "secret_primaire", "nd": "nd", "": None}.get(marque, "illisible")


def designe(texte: str | None, zone: str) -> bool:
    """Cette cellule nomme-t-elle la zone ? Le total des quartiers s’écrit « Ensemble », quelle que soit la casse."""
    lu = (texte or "").strip(" ")
    return lu == zone or (zone == "ENSEMBLE" and lu.upper() == zone)


# --- L’écriture et les empreintes


def canonique(objet: Any) -> str:
    """L’unique écriture d’une preuve : clés triées, retrait d’une espace, fin de ligne au bout."""
    return json.dumps(objet, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def empreinte(objet: Any) -> str:
    """SHA-256 du JSON le plus court : clés triées, sans espace."""
    court = json.dumps(objet, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(court.encode("utf-8")).hexdigest()


def _a_plat(section: dict[str, Any], prefixe: str = "") -> dict[str, Any]:
    plats: dict[str, Any] = {}
    for nom, valeur in section.items():
        plats.update(_a_plat(valeur, f"{prefixe}{nom}.") if isinstance(valeur, dict) else {prefixe + nom: valeur})
    return plats


def _empreintes(section: dict[str, Any]) -> dict[str, Any]:
    """L’empreinte d’une section, et une courte par champ, qui dit lequel diffère."""
    champs = {nom: empreinte(valeur)[:16] for nom, valeur in _a_plat(section).items()}
    return {"section": empreinte(section), "champs": champs}


def sceller(contenu: dict[str, Any]) -> dict[str, Any]:
    """La preuve complète : le contenu, les empreintes de ses parties et le sceau de l’ensemble."""
    empreintes: dict[str, Any] = {nom: _empreintes(contenu[nom]) for nom in _SECTIONS}
    empreintes.update({nom: [_empreintes(element) for element in contenu[nom]] for nom in _LISTES})
    ouverte = dict(contenu, empreintes=empreintes)
    return dict(ouverte, sceau=empreinte(ouverte))


# --- Le contrôle


def verifier(octets: bytes) -> list[str]:
    """Ce que l’on reproche à une preuve, en français ; rien si elle est acceptée."""
    try:
        preuve = json.loads(octets.decode("utf-8"), object_pairs_hook=_sans_doublon)
        refus = list(_structure(preuve, _PREUVE, "preuve"))
        return refus or [*_integrite(preuve), *_forme(preuve, octets), *_coherence(preuve)]
    except UnicodeDecodeError as erreur:
        return [f"forme : l’octet {erreur.start} n’est pas de l’UTF-8"]
    except json.JSONDecodeError as erreur:
        return [f"forme : ligne {erreur.lineno}, caractère {erreur.colno} : JSON illisible ({erreur.msg})"]
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError, RecursionError) as erreur:
        return [f"contenu : un champ n’a pas la forme attendue ({erreur})"]


def _sans_doublon(paires: list[tuple[str, Any]]) -> dict[str, Any]:
    noms = [nom for nom, _ in paires]
    doubles = [nom for nom in noms if noms.count(nom) > 1]
    if doubles:
        raise ValueError(f"le champ « {doubles[0]} » figure deux fois")
    return dict(paires)


def _structure(objet: Any, modele: Any, ou: str) -> Iterator[str]:
    if isinstance(modele, tuple):
        if objet is not None:
            yield from _structure(objet, modele[0], ou)
    elif isinstance(modele, list):
        if not isinstance(objet, list):
            yield f"{ou} : une liste est attendue"
        for rang, element in enumerate(objet if isinstance(objet, list) else [], 1):
            yield from _structure(element, modele[0], f"{ou}, n° {rang}")
    elif isinstance(modele, dict):
        if not isinstance(objet, dict):
            yield f"{ou} : un objet est attendu"
            return
        yield from (f"{ou} : le champ « {nom} » manque" for nom in modele if nom not in objet)
        yield from (f"{ou} : le champ « {nom} » est inconnu" for nom in objet if nom not in modele)
        for nom in (nom for nom in modele if nom in objet):
            yield from _structure(objet[nom], modele[nom], nom if ou == "preuve" else f"{ou}, {nom}")


def _integrite(preuve: dict[str, Any]) -> Iterator[str]:
    contenu = {nom: valeur for nom, valeur in preuve.items() if nom not in ("empreintes", "sceau")}
    juste, ecrites = sceller(contenu)["empreintes"], preuve["empreintes"]
    parties = [(f"section {nom}", preuve[nom], juste[nom], ecrites.get(nom)) for nom in _SECTIONS]
    for liste in _LISTES:
        for rang, element in enumerate(preuve[liste]):
            lue = ecrites[liste][rang] if rang < len(ecrites[liste]) else None
            parties.append((f"{_SINGULIER[liste]} {rang + 1}", element, juste[liste][rang], lue))
    for ou, section, attendues, lues in parties:
        yield from _ecarts(ou, _a_plat(section), attendues, lues)
    if preuve["format"] != FORMAT:
        yield f"format : {preuve['format']!r} au lieu de {FORMAT!r}"
    if preuve["avertissement"] != (FICTIF if preuve["version"]["sources"] == "demo" else None):
        yield "avertissement : il ne dit pas si les données sont fictives"
    if empreinte(dict(contenu, empreintes=ecrites)) != preuve["sceau"]:
        yield "sceau : ce n’est pas celui du contenu"


def _ecarts(ou: str, plats: dict[str, Any], justes: dict[str, Any], lues: Any) -> Iterator[str]:
    """Ce qui diffère dans une partie : son contenu, si l’empreinte de la partie ne lui va plus ; sinon l’empreinte."""
    if lues == justes:
        return
    change = lues["section"] != justes["section"]
    champs = [nom for nom in plats if lues["champs"].get(nom) != justes["champs"][nom]]
    for nom in champs:
        reproche = f"le contenu {plats[nom]!r} n’a pas l’empreinte annoncée" if change else "son empreinte est fausse"
        yield f"{ou}, champ « {nom} » : {reproche}"
    if not champs:
        yield f"{ou} : les empreintes écrites ne sont pas celles du contenu"


def _forme(preuve: dict[str, Any], octets: bytes) -> Iterator[str]:
    """Une espace de trop, une clé déplacée : le contenu est le même, non l’écriture."""
    juste = canonique(preuve).encode("utf-8")
    if juste != octets:
        communs = min(len(juste), len(octets))
        rang = next((i for i in range(communs) if juste[i] != octets[i]), communs)
        ligne = octets.count(b"\n", 0, rang) + 1
        yield f"forme : ligne {ligne}, octet {rang} : ce n’est pas l’écriture canonique"


def _coherence(preuve: dict[str, Any]) -> Iterator[str]:
    """Le chiffre est-il bien celui que donnent les cellules, les corrections et la formule ?"""
    chiffre, entrees = preuve["chiffre"], preuve["entrees"]
    cle = ".".join(chiffre[nom] for nom in ("indicateur", "niveau", "zone", "generation", "edition"))
    if chiffre["cle"] != cle:
        yield f"section chiffre, champ « cle » : {chiffre['cle']} au lieu de {cle}"
    reporte, fichiers = chiffre["methode"] in NIVEAUX, len(preuve["fichiers"])
    poids = _poids_reportes(preuve) if reporte else _poids_publies(preuve)
    for rang, entree in enumerate(entrees, 1):
        yield from (
            f"entrée {rang}, champ {reproche}" for reproche in _reproches(entree, rang, chiffre, poids, fichiers)
        )
    yield from _reproches_des_unites(preuve) if reporte else _reproches_des_termes(preuve, poids)
    for nom, obtenu in (_reporter(preuve) if reporte else _publier(preuve)).items():
        if chiffre[nom] != obtenu:
            yield f"section chiffre, champ « {nom} » : {chiffre[nom]!r} est écrit, le calcul donne {obtenu!r}"


def _place(entree: dict[str, Any]) -> tuple[Any, ...]:
    """Ce qui nomme une cellule dans la formule ; d’une cellule écartée, le rôle ne dit plus où elle irait."""
    return entree["role"], entree["terme"], entree["variable"]


def _poids_publies(preuve: dict[str, Any]) -> dict[Any, set[float]]:
    """Les poids attendus dans un chiffre de la zone même : les coefficients de la formule."""
    return {(terme["role"], None, terme["variable"]): {terme["coefficient"]} for terme in preuve["formule"]["termes"]}


def _poids_reportes(preuve: dict[str, Any]) -> dict[Any, set[float]]:
    """Les poids attendus dans un chiffre reporté : coefficient × poids de l’unité, et 1 pour la variable de base."""
    attendus: dict[Any, set[float]] = {}
    for unite in preuve["unites"]:
        for terme in preuve["formule"]["termes"]:
            nom, base = f"{unite['code']}:{terme['variable']}", terme["variable_de_base"]
            for role in (terme["role"], ECARTEE):
                attendus.setdefault((role, nom, terme["variable"]), set()).add(terme["coefficient"] * unite["poids"])
                if base is not None:
                    attendus.setdefault((role, nom, base), set()).add(1.0)
    return attendus


def _valeur(entree: dict[str, Any]) -> float | None:
    return valeur_corrigee(entree["texte"], *_correction(entree))


def _statut(entree: dict[str, Any]) -> str:
    return str(entree["motif"]["statut"]) if entree["motif"] else "ok"


def _reproches_des_termes(preuve: dict[str, Any], poids: dict[Any, set[float]]) -> Iterator[str]:
    calcul = sorted((_place(entree) for entree in preuve["entrees"] if entree["role"] in CALCUL), key=repr)
    if calcul != sorted(poids, key=repr) or len(poids) != len(preuve["formule"]["termes"]):
        yield "section formule, champ « termes » : les entrées ne portent pas chaque terme une fois et une seule"
    if preuve["unites"]:
        yield "unité 1 : un chiffre de la zone même n’en a pas"


def _publier(preuve: dict[str, Any]) -> dict[str, Any]:
    """Un chiffre de la zone même, recalculé."""
    calcul = [entree for entree in preuve["entrees"] if entree["role"] in CALCUL]
    termes = [(entree["role"], entree["variable"], entree["poids"], _valeur(entree)) for entree in calcul]
    valeur, numerateur, denominateur = calculer(termes, preuve["formule"]["echelle"])
    statut = statut_du_chiffre([_statut(entree) for entree in calcul])
    statut = "nd" if statut == "ok" and valeur is None else statut
    part = 1.0 if statut == "ok" else None
    return _recalcule(valeur, numerateur, denominateur, part, statut)


def _cellules_de_l_unite(preuve: dict[str, Any], code: str) -> set[Any]:
    """Les cellules que la formule demande à une unité, sous les rôles où elles comptent."""
    paires = [(terme, terme[nom]) for terme in preuve["formule"]["termes"] for nom in ("variable", "variable_de_base")]
    return {(terme["role"], f"{code}:{terme['variable']}", cellule) for terme, cellule in paires if cellule is not None}


def _par_unite(preuve: dict[str, Any], roles: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    trouvees: dict[str, list[dict[str, Any]]] = {}
    for entree in preuve["entrees"]:
        if entree["role"] in roles:
            trouvees.setdefault(nom_du_terme(entree["terme"])[0], []).append(entree)
    return trouvees


def _reproches_des_unites(preuve: dict[str, Any]) -> Iterator[str]:
    """Une unité compte si elle a toutes les cellules de la formule ; sinon elle est écartée tout entière."""
    niveau, codes = NIVEAUX[preuve["chiffre"]["methode"]], [unite["code"] for unite in preuve["unites"]]
    if any(terme["niveau_de_depart"] != niveau for terme in preuve["formule"]["termes"]):
        yield f"section formule, champ « termes » : ils ne partent pas tous du niveau {niveau}"
    if codes != sorted(set(codes)):
        yield "unités : elles ne sont pas rangées par code, chacune une fois"
    comptees, ecartees = _par_unite(preuve, CALCUL), _par_unite(preuve, (ECARTEE,))
    for code in sorted(comptees.keys() | ecartees.keys()):
        attendues, presentes = _cellules_de_l_unite(preuve, code), [_place(e) for e in comptees.get(code, [])]
        if code not in codes:
            yield f"unité {code} : la preuve ne dit pas son poids"
        elif presentes and (set(presentes) != attendues or len(presentes) != len(attendues) or code in ecartees):
            yield f"unité {code} : elle ne porte pas chaque terme de la formule une fois et une seule"
        lues = {_place(e)[1:] for e in ecartees.get(code, []) if _valeur(e) is not None}
        if code in ecartees and {place[1:] for place in attendues} <= lues:
            yield f"unité {code} : elle est écartée, alors qu’elle a toutes ses cellules"


def _reporter(preuve: dict[str, Any]) -> dict[str, Any]:
    """Un chiffre reporté depuis d’autres unités, recalculé."""
    comptees, formule = _par_unite(preuve, CALCUL), preuve["formule"]
    calcul = [entree for entrees in comptees.values() for entree in entrees]
    termes = multiplier((e["role"], e["terme"], e["variable"], e["poids"], _valeur(e)) for e in calcul)
    unites = [(unite["code"], unite["poids"], unite["habitants"]) for unite in preuve["unites"]]
    valeur, numerateur, denominateur = calculer(termes, formule["echelle"])
    part = couverture(NIVEAUX[preuve["chiffre"]["methode"]], unites, comptees)
    cellules = [entree for entree in preuve["entrees"] if entree["role"] in COMPTABLES]
    lus = {(*nom_du_terme(entree["terme"]), entree["variable"]): _statut(entree) for entree in cellules}
    statuts = statuts_des_unites(unites, [t["variable"] for t in formule["termes"]], lus)
    statut = statut_reporte(valeur, part, statuts, preuve["chiffre"]["niveau"])
    if statut not in ("ok", "estime"):
        valeur = numerateur = denominateur = None
    dite = part if valeur is not None or statut == "non_couvert" else None
    return _recalcule(valeur, numerateur, denominateur, dite, statut)


def _recalcule(
    valeur: float | None, numerateur: float | None, denominateur: float | None, part: float | None, statut: str
) -> dict[str, Any]:
    sommes = {"valeur": valeur, "numerateur": numerateur, "denominateur": denominateur}
    return dict(sommes, couverture=part, statut=statut)


def _reproches(
    entree: dict[str, Any], rang: int, chiffre: dict[str, Any], poids: dict[Any, set[float]], fichiers: int
) -> Iterator[str]:
    role, texte, motif, reporte = entree["role"], entree["texte"], entree["motif"], chiffre["methode"] in NIVEAUX
    nommee = entree["terme"] if reporte and role == "key" else chiffre["zone"]
    if entree["numero"] != rang:
        yield f"« numero » : {entree['numero']} au lieu de {rang}"
    if entree["fichier"] not in range(1, fichiers + 1):
        yield f"« fichier » : la preuve n’a pas de fichier {entree['fichier']}"
    if role in ("key", "zone") and not designe(texte, nommee):
        yield f"« texte » : la cellule nomme {texte!r}, non la zone {nommee}"
    if role not in (COMPTABLES if reporte else CALCUL):
        if role not in AUTRES_ROLES:
            yield f"« role » : {role!r} est inconnu de ce programme"
        return
    action, donnee = _correction(entree)
    sans_valeur = valeur_corrigee(texte, action, donnee) is None
    if sans_valeur != (motif is not None):
        yield "« motif » : il accompagne une cellule sans valeur, et elle seule"
    evident = statut_evident(texte, entree["ligne"], action) if sans_valeur else None
    if motif and evident not in (None, motif["statut"]):
        yield f"« motif.statut » : {motif['statut']} au lieu de {evident}"
    if (entree["ligne"] is None) != (entree["recherche"] is not None):
        yield "« recherche » : elle accompagne une ligne absente du fichier, et elle seule"
    if entree["poids"] not in poids.get(_place(entree), ()):
        yield f"« poids » : {entree['poids']} n’est pas celui du terme {entree['variable']} de la formule"


def _correction(entree: dict[str, Any]) -> tuple[str | None, float | None]:
    correction = entree["correction"]
    return (correction["action"], correction["valeur"]) if correction else (None, None)


# --- Le fichier d’origine


def position(entete: Sequence[str], colonne: str) -> int:
    """Rang d’une colonne dans l’en-tête, à la casse près s’il le faut ; LectureError si elle n’y est pas."""
    noms = [cellule.strip("\ufeff").strip() for cellule in entete]
    for candidats, cherche in ((noms, colonne), ([nom.lower() for nom in noms], colonne.lower())):
        if candidats.count(cherche) == 1:
            return candidats.index(cherche)
    raise LectureError(f"la colonne « {colonne} » n’est pas, une fois et une seule, dans l’en-tête du fichier")


def lignes_csv(
    octets: bytes, encodage: str, separateur: str, ligne_entete: int, colonnes: Sequence[str]
) -> Iterator[tuple[int, tuple[str | None, ...]]]:
    """Les lignes d’un CSV : le numéro de la ligne où l’enregistrement commence, et le texte des colonnes demandées.

    La première ligne du fichier porte le numéro 1. Un enregistrement mal formé est passé, comme à la lecture d’origine.
    """
    csv.field_size_limit(1 << 24)
    encodage = "utf-8-sig" if encodage.lower() in _UTF8 else encodage
    lu = io.TextIOWrapper(io.BytesIO(octets), encoding=encodage, errors="surrogateescape", newline="")
    for _ in range(ligne_entete - 1):
        lu.readline()
    enregistrements = csv.reader(lu, delimiter=separateur, strict=True)
    entete = next(enregistrements, [])
    rangs = [position(entete, colonne) for colonne in colonnes]
    while True:
        debut = ligne_entete + enregistrements.line_num
        try:
            cellules = next(enregistrements)
        except StopIteration:
            return
        except csv.Error:
            continue
        yield debut, tuple(cellules[rang] if rang < len(cellules) else None for rang in rangs)


def octets_du_membre(octets: bytes, membre: str) -> bytes:
    """Les octets à lire : ceux du membre si le fichier est un zip (un classeur n’en est pas un), sinon tous."""
    if not octets.startswith(b"PK\x03\x04"):
        return octets
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            return octets if "xl/workbook.xml" in archive.namelist() else archive.read(membre)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as erreur:
        raise LectureError(f"le membre « {membre} » du zip ne peut être lu ({erreur})") from erreur


def verifier_source(preuve: dict[str, Any], octets: bytes, nom: str) -> tuple[list[str], list[str]]:
    """Relit dans un fichier d’origine les cellules que la preuve en cite ; rend les refus et les constats."""
    sha256 = hashlib.sha256(octets).hexdigest()
    numeros = {rang for rang, fichier in enumerate(preuve["fichiers"], 1) if fichier["sha256"] == sha256}
    citees = [entree for entree in preuve["entrees"] if entree["fichier"] in numeros]
    if not citees:
        return [f"{nom} : aucune entrée ne cite ce fichier (SHA-256 {sha256})"], []
    lectures = {rang: preuve["fichiers"][rang - 1]["lecture"] for rang in numeros}
    relues = [entree for entree in citees if lectures[entree["fichier"]]["format"] == "csv"]
    refus: list[str] = []
    try:
        for rang, membre in sorted({(entree["fichier"], entree["membre"]) for entree in relues}):
            ensemble = [entree for entree in relues if (entree["fichier"], entree["membre"]) == (rang, membre)]
            refus += _relire(ensemble, lectures[rang], octets_du_membre(octets, membre), nom)
    except (LectureError, LookupError) as erreur:
        refus.append(f"{nom} : {erreur}")
    return refus, [f"{nom} : empreinte conforme ; {len(relues)} cellule(s) relue(s) sur {len(citees)} citée(s)"]


def _relire(entrees: list[dict[str, Any]], lecture: dict[str, Any], octets: bytes, nom: str) -> Iterator[str]:
    colonnes = [(entree["recherche"] or entree)["colonne"] for entree in entrees]
    lignes = dict(lignes_csv(octets, lecture["encodage"], lecture["separateur"], lecture["ligne_entete"], colonnes))
    for rang, entree in enumerate(entrees):
        ou, ligne = f"entrée {entree['numero']}", entree["ligne"]
        if ligne is None:
            code = entree["recherche"]["code"]
            for trouvee in [numero for numero, cellules in lignes.items() if designe(cellules[rang], code)]:
                yield f"{ou} : {nom} porte {code} à la ligne {trouvee}, alors que la zone y est dite absente"
        elif ligne not in lignes:
            yield f"{ou}, champ « ligne » : {nom} n’a pas d’enregistrement à la ligne {ligne}"
        elif lignes[ligne][rang] != entree["texte"]:
            ecrit, lu = entree["texte"], lignes[ligne][rang]
            yield f"{ou}, champ « texte » : {ecrit!r}, mais {nom} porte {lu!r} (ligne {ligne}, {colonnes[rang]})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Le programme ; rend le code de sortie."""
    analyse = argparse.ArgumentParser(description="Vérifie la preuve d’un chiffre de Data & Quartiers.")
    analyse.add_argument("preuve", type=Path, help="fichier de preuve (JSON)")
    analyse.add_argument("--source", type=Path, action="append", default=[], help="fichier d’origine où relire")
    choix = analyse.parse_args(arguments)
    try:
        octets = choix.preuve.read_bytes()
        sources = [(chemin.name, chemin.read_bytes()) for chemin in choix.source]
    except OSError as erreur:
        print(f"ILLISIBLE : {erreur.filename} : {erreur.strerror}", file=sys.stderr)
        return 2
    refus = verifier(octets)
    preuve = {} if refus else json.loads(octets.decode("utf-8"))
    for nom, contenu in sources if preuve else []:
        nouveaux, constats = verifier_source(preuve, contenu, nom)
        refus += nouveaux
        print("\n".join(constats))
    if refus:
        print("\n  - ".join([f"PREUVE REFUSÉE : {choix.preuve.name}", *refus]))
        return 1
    chiffre = preuve["chiffre"]
    resultat = "sans valeur" if chiffre["valeur"] is None else f"{chiffre['valeur']!r} {chiffre['unite']}"
    print(preuve["avertissement"] or f"Version {preuve['version']['identifiant']}")
    print(f"PREUVE ACCEPTÉE : {chiffre['cle']} : {resultat} (statut : {chiffre['statut']}), recalculé à l’identique")
    return 0


if __name__ == "__main__":
    sys.exit(main())
