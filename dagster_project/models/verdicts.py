"""Verdicts in words: what was found, and why a claim cannot be tested."""

from __future__ import annotations

from dagster_project.models.exact import Proportion

CONFIRMED, REFUTED, UNTESTABLE = "confirmee_sur_le_champ", "refutee", "non_testable"
NAMED = 5
REASONS = {
    "convention": "la source attend une convention",
    "secret_primaire": "les valeurs sont sous le secret statistique",
    "secret_secondaire": "les valeurs sont sous le secret statistique",
    "non_couvert": "aucune source retenue ne couvre cette maille",
}


def percent(share: float) -> str:
    """A share as a French percentage with one decimal."""
    return f"{100 * share:.1f}".replace(".", ",") + " %"


def no_index(index_code: str, mesh: str, reason: str) -> str:
    """Why no zone of the mesh has a value."""
    cause = REASONS.get(reason, "aucune valeur n’est disponible")
    return f"Non testable : à la maille {mesh}, aucune zone n’a d’indice {index_code} ({cause})."


def no_neighbourhood(generation: str) -> str:
    """No QPV of that generation in the territory."""
    return f"Non testable : aucun quartier de la génération {generation} dans le territoire."


def conclude(sensitive: int, refuting: list[str], undecided: list[str], bounds: Proportion | None) -> tuple[str, str]:
    """Verdict and its reason in French.

    One counter-example refutes. Without any, an undecided neighbourhood leaves the claim open.

    Args:
        sensitive: number of neighbourhoods in sensitive zones.
        refuting: names of those that are not.
        undecided: names of those that zones without a value could tip either way.
        bounds: exact bounds of the share of sensitive ones among those decided; None when none is.
    """
    decided = sensitive + len(refuting)
    if refuting:
        return REFUTED, f"Réfutée : {_named(refuting)} hors des zones sensibles, sur {decided} quartiers testés."
    if undecided or bounds is None:
        return (
            UNTESTABLE,
            f"Non testable en entier : {sensitive} quartiers sont dans des zones sensibles et aucun n’en est hors, "
            f"mais {_named(undecided)} sans assez de zones de valeur connue.",
        )
    return (
        CONFIRMED,
        f"Confirmée sur le champ : les {decided} quartiers testés sont dans des zones sensibles. Au-delà du champ, "
        f"ce résultat ne garantit qu’une part d’au moins {percent(bounds.low)} "
        f"(intervalle bilatéral ; {percent(bounds.low_one_sided)} en unilatéral).",
    )


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED])
    more = f" et {len(names) - NAMED} autres" if len(names) > NAMED else ""
    return f"{len(names)} quartier{'s' if len(names) > 1 else ''} ({shown}{more})"
