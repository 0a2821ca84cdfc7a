"""Figures recomputed from the archived bytes, by a path that shares no code with the one that made them."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.audit.recompute.figures import Evaluator
from dagster_project.audit.recompute.files import CHECKED, check_cells
from dagster_project.audit.recompute.formulas import MissingModelColumnsError
from dagster_project.audit.recompute.result import Difference, Modelled, Recomputation
from dagster_project.audit.release_folder import FIGURES, LINEAGE, ReleaseFolder, ask

__all__ = ["Difference", "MissingModelColumnsError", "Modelled", "Recomputation", "recompute"]


def recompute(release: ReleaseFolder, figures: Sequence[str] | None = None) -> Recomputation:
    """Read again the cells of figures in the archive, apply the released formula, compare with what is published.

    Args:
        release: the release, and the archive its sources lie in.
        figures: figure ids; None is all of them.

    Returns:
        Counts by method, and every disagreement with the figure, file, row and column it concerns. Cells must hold
        the text that the release gives; values agree within 1e-9 relative; statuses are those of the cells; a zone
        said not to be covered must be absent from its file.

    Raises:
        MissingModelColumnsError: figures of a statistical model whose model the release does not name.
    """
    result = Recomputation()
    with release.tables() as connection:
        if figures is None:
            ask(connection, f"create view input as from {LINEAGE}; create view figure as from {FIGURES}")
        else:
            ask(connection, "create table asked as select distinct unnest(?) as figure_id", [list(figures)])
            for name, table in (("input", LINEAGE), ("figure", FIGURES)):
                ask(connection, f"create table {name} as from {table} semi join asked using (figure_id)")
            for (figure_id,) in ask(connection, "from asked anti join figure using (figure_id)").fetchall():
                result.differs(Difference("chiffre", "ce chiffre n’est pas dans la version", figure_id))
        ask(connection, CHECKED)
        (result.figures,) = ask(connection, "select count(*) from figure").fetchone() or (0,)
        check = check_cells(connection, release, result)
        Evaluator(connection, check).run(result)
    return result
