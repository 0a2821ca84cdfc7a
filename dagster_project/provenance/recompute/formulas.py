"""What recomputing needs of the release: the formula of each indicator, the meaning of NOTE codes, the models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dagster_project.provenance.recompute.result import Modelled
from dagster_project.provenance.release_folder import FIGURES, ask, records

if TYPE_CHECKING:
    import duckdb

MODELLED = "M4"
MODEL_COLUMNS = ("model", "model_version", "model_parameters")
# Role and variable.
Term = tuple[str, str]


class MissingModelColumnsError(LookupError):
    """Figures are said to come from a model that the release does not name."""


class Cell(NamedTuple):
    """A row of CELLS."""

    figure_id: str
    value: float | None
    numerator: float | None
    denominator: float | None
    status: str
    method: str
    role: str
    variable: str
    weight: float
    raw_value: str | None
    dataset: str
    sha256: str
    member: str | None
    row: int | None
    column: str
    action: str | None
    corrected_value: float | None
    note: str | None
    note_row: int | None
    note_column: str | None


class Formula:
    """The released formula of one indicator.

    Attributes:
        scale: factor of the ratio.
        direct: coefficient by role and variable, where the producer publishes the value.
        ratio: the same, where numerators are divided by denominators.
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.direct: dict[Term, float] = {}
        self.ratio: dict[Term, float] = {}

    def add(self, role: str, variable: str, coefficient: float) -> None:
        """Add a term to the path it belongs to."""
        (self.direct if role == "value" else self.ratio)[role, variable] = coefficient

    def terms(self, cells: Sequence[Cell]) -> dict[Term, float]:
        """The terms of the path that these cells take."""
        return self.direct if cells[0].role == "value" else self.ratio


def load_formulas(connection: duckdb.DuckDBPyConnection) -> dict[str, Formula]:
    """Formula of each indicator that has a figure to recompute."""
    query = (
        "select indicator_code, indicator.scale, role, variable, coefficient from indicator_term "
        "inner join indicator using (indicator_code) "
        "where indicator_code in (select indicator_code from figure) order by all"
    )
    formulas: dict[str, Formula] = {}
    for code, scale, role, variable, coefficient in ask(connection, query).fetchall():
        formulas.setdefault(code, Formula(float(scale))).add(role, variable, float(coefficient))
    return formulas


def modelled_figures(connection: duckdb.DuckDBPyConnection) -> Iterator[Modelled]:
    """Figures of a statistical model, with its version and parameters; raises MissingModelColumnsError."""
    (count,) = ask(connection, "select count(*) from figure where method = ?", [MODELLED]).fetchone() or (0,)
    if not count:
        return
    known = {row["column_name"] for row in records(connection, "describe figure")}
    missing = [name for name in MODEL_COLUMNS if name not in known]
    if missing:
        raise MissingModelColumnsError(
            f"{count} chiffres sont de méthode {MODELLED} et {FIGURES}.parquet ne dit pas leur modèle : "
            f"colonnes absentes : {', '.join(missing)}"
        )
    query = f"select figure_id, {', '.join(MODEL_COLUMNS)} from figure where method = ? order by figure_id"
    for row in records(connection, query, [MODELLED]):
        yield Modelled(row["figure_id"], *(str(row[name]) for name in MODEL_COLUMNS))
