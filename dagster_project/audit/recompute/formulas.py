"""What recomputing needs of the release: the formula of each indicator, the meaning of NOTE codes, the models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from dagster_project.audit.recompute.result import Modelled
from dagster_project.audit.release_folder import FIGURES, ask, records
from dagster_project.release.verifier_preuve import NIVEAUX

if TYPE_CHECKING:
    import duckdb

MODELLED = "M4"
MODEL_COLUMNS = ("model", "model_version", "model_parameters")
# Role and variable.
Term = tuple[str, str]
# Role, variable of the term, variable of the cell.
UnitCell = tuple[str, str, str]


class MissingModelColumnsError(LookupError):
    """Figures are said to come from a model that the release does not name."""


class Cell(NamedTuple):
    """A cell of a figure, beside the figure. `term` and `coverage` are for figures made of other units."""

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
    term: str | None = None
    coverage: float | None = None


# The columns of `Cell` for figures made of other units, which have no note; to be followed by a condition.
UNIT_CELLS = """
with

correction as (
    select distinct correction_id, action, corrected_value from corrections
)

select
    figure.figure_id, figure.value, figure.numerator, figure.denominator, figure.status, figure.method,
    cell.role, cell.variable, cell.weight, cell.raw_value, cell.dataset,
    cell.source_sha256, cell.source_member, cell.source_row, cell.source_column,
    correction.action, correction.corrected_value, null, null, null, cell.term, figure.coverage
from figure
inner join input as cell using (figure_id)
left join correction using (correction_id)"""


@dataclass(frozen=True)
class FormulaTerm:
    """A term: a cell, or the product of a published share (`variable`) and of what it is a share of (`base`)."""

    role: str
    variable: str
    base: str | None
    coefficient: float

    @property
    def cells(self) -> tuple[str, ...]:
        """Variables of its cells, the term's own first."""
        return (self.variable,) if self.base is None else (self.variable, self.base)


@dataclass
class Path:
    """One way to have an indicator. `from_level` is where its cells are when they are not the zone's own."""

    from_level: str | None
    terms: list[FormulaTerm] = field(default_factory=list)

    @cached_property
    def coefficients(self) -> dict[Term, float]:
        """Coefficient of each term, for cells of the zone itself."""
        return {(term.role, term.variable): term.coefficient for term in self.terms}

    @cached_property
    def unit_cells(self) -> dict[UnitCell, float | None]:
        """Coefficient of each cell of a unit; None for the base of a share, which is not weighed twice."""
        return {
            (term.role, term.variable, name): term.coefficient if name == term.variable else None
            for term in self.terms
            for name in term.cells
        }

    @cached_property
    def variables(self) -> frozenset[str]:
        """Variables of all its cells."""
        return frozenset(name for term in self.terms for name in term.cells)


class Formula:
    """The released formula of one indicator.

    Attributes:
        scale: factor of the ratio.
        paths: by their rank.
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.paths: dict[int, Path] = {}

    def add(self, rank: int, from_level: str | None, term: FormulaTerm) -> None:
        """Add a term to the path it belongs to."""
        self.paths.setdefault(rank, Path(from_level)).terms.append(term)

    def path(self, method: str, variables: Iterable[str], *, direct: bool) -> Path:
        """The path that cells take.

        Args:
            method: of the figure: it says from which units its cells are.
            variables: variables of its cells.
            direct: whether the producer publishes the value.

        Returns:
            The path of these units and variables; when none has all of these and no other, the first of these units
            and of this kind, which the cells will be found not to follow.
        """
        level, present = NIVEAUX.get(method), frozenset(variables)
        of_level = [path for path in self.paths.values() if path.from_level == level]
        exact = [path for path in of_level if path.variables == present]
        of_kind = [path for path in (*exact, *of_level) if direct == (path.terms[0].role == "value")]
        return next(iter(of_kind or exact or of_level), Path(level))


def load_formulas(connection: duckdb.DuckDBPyConnection, figures: str = FIGURES) -> dict[str, Formula]:
    """Formula of each indicator that has a row in the table or view `figures`; terms by role, then variable."""
    query = (
        "select indicator_code, indicator.scale, path, from_level, role, variable, base_variable, coefficient "
        "from indicator_term inner join indicator using (indicator_code) "
        f"where indicator_code in (select indicator_code from {figures}) order by all"
    )
    formulas: dict[str, Formula] = {}
    for code, scale, rank, from_level, role, variable, base, coefficient in ask(connection, query).fetchall():
        term = FormulaTerm(role, variable, base, float(coefficient))
        formulas.setdefault(code, Formula(float(scale))).add(rank, from_level, term)
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
