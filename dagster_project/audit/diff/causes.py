"""Causes of a change, in the order in which they are substituted."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a figure is not what it was."""

    VINTAGE = "vintage"
    CORRECTION = "correction"
    FORMULA = "formula"
    PERIMETER = "perimeter"
    SECRECY = "secrecy"
    CODE = "code"
    RESIDUAL = "residual"

    @property
    def label(self) -> str:
        """French, for readers."""
        return _LABELS[self]

    @property
    def word(self) -> str:
        """The label in short."""
        return self.label.split(" (")[0]

    @property
    def meaning(self) -> str:
        """A French sentence: what counts as this cause."""
        return _MEANINGS[self]


# The figure goes from its old state to the new one by substituting the causes in this order. What remains once all
# inputs are those of the new release is the code's doing, or, when the code is the same, nobody's: a residual.
SUBSTITUTED = (Cause.VINTAGE, Cause.CORRECTION, Cause.FORMULA, Cause.PERIMETER, Cause.SECRECY)
STEP = {cause: number for number, cause in enumerate((*SUBSTITUTED, Cause.CODE), start=1)}
CONTRIBUTIONS = (*SUBSTITUTED, Cause.CODE, Cause.RESIDUAL)

_LABELS = {
    Cause.VINTAGE: "source (nouvelle édition ou fichier révisé)",
    Cause.CORRECTION: "correction déclarée",
    Cause.FORMULA: "formule",
    Cause.PERIMETER: "périmètre",
    Cause.SECRECY: "secret statistique",
    Cause.CODE: "programme",
    Cause.RESIDUAL: "résidu inexpliqué",
}
_MEANINGS = {
    Cause.VINTAGE: "Le producteur a publié une édition ou remplacé un fichier : la cellule lue n’est plus la même.",
    Cause.CORRECTION: "Une correction déclarée d’une erreur connue a été ajoutée, modifiée ou retirée.",
    Cause.FORMULA: (
        "L’indicateur est calculé autrement : termes, coefficients, échelle, ou colonne retenue pour une variable."
    ),
    Cause.PERIMETER: "La zone est entrée dans les listes ou en est sortie, ou les poids qui la composent ont changé.",
    Cause.SECRECY: (
        "Une valeur est désormais masquée, ne l’est plus, ou la note de son absence a un autre sens ; ou le plus petit "
        "effectif montré a changé."
    ),
    Cause.CODE: "Tout le reste est égal : c’est le programme, ou l’une de ses bibliothèques, qui calcule autrement.",
    Cause.RESIDUAL: "Aucune cause ne l’explique alors que le programme est le même : c’est une erreur à comprendre.",
}
