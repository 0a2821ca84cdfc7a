"""Comparison of two release folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.audit.diff.appearance import attribute_presence
from dagster_project.audit.diff.causes import SUBSTITUTED, Cause
from dagster_project.audit.diff.changes import find_changes
from dagster_project.audit.diff.pairs import pair_inputs
from dagster_project.audit.diff.program import differing_program
from dagster_project.audit.diff.reasons import attribute_kept, contribution_columns
from dagster_project.audit.diff.side_by_side import THRESHOLDS, find_moved_rules, open_pair
from dagster_project.audit.diff.summary import Summary, summarise
from dagster_project.audit.release_folder import ReleaseFolder, UnknownReleaseError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_CHANGES = """
create table changes as
with attributed as (
    select * from kept
    union all by name
    select changed.*, presence.main_step, presence.all_steps
    from changed inner join presence using (figure_no)
)
select
    attributed.figure_id,
    attributed.indicator_code,
    tolerance.theme,
    attributed.zone_level,
    attributed.zone_code,
    coalesce(new_zone.name, old_zone.name) as zone_name,
    attributed.generation,
    attributed.vintage,
    attributed.unit,
    attributed.change,
    attributed.status_before,
    attributed.status_after,
    attributed.value_before,
    attributed.value_after,
    attributed.value_after - attributed.value_before as difference,
    greatest(tolerance.absolute, tolerance.relative * abs(attributed.value_before)) as tolerated,
    coalesce(abs(difference) > tolerated, false) as beyond_tolerance,
    attributed.numerator_before,
    attributed.numerator_after,
    attributed.denominator_before,
    attributed.denominator_after,
    {substituted},
    {code} as due_code,
    {residual} as due_residual,
    {names}[attributed.main_step] as main_cause,
    list_transform(attributed.all_steps, lambda step: {names}[step]) as causes
from attributed
left join tolerance using (indicator_code)
left join old.dim_zone as old_zone using (zone_level, zone_code, generation)
left join new.dim_zone as new_zone using (zone_level, zone_code, generation)
order by figure_id
"""


@dataclass(frozen=True)
class Comparison:
    """What the new release changes.

    Attributes:
        old: the release compared with.
        new: the release under comparison.
        changes: one row per changed figure, by `figure_id`. `change` is gagne, perdu, statut, valeur or composantes;
            `due_<cause>` are contributions in the figure's unit, which sum to `difference` (null where one side has no
            value); `main_cause` and `causes` name causes as `causes.Cause` does.
        summary: counts and lists, for pages and for JSON.
    """

    old: ReleaseFolder
    new: ReleaseFolder
    changes: pa.Table
    summary: Summary


def compare(old: ReleaseFolder, new: ReleaseFolder, thresholds: Path = THRESHOLDS) -> Comparison:
    """Compare two release folders.

    Args:
        old: release compared with.
        new: release under comparison.
        thresholds: tolerances, as the seed `diff_threshold`.

    Raises:
        UnknownReleaseError: a folder is no release, lacks a table, or one is fictitious and the other is not.
    """
    import duckdb

    if old.fictitious != new.fictitious:
        raise UnknownReleaseError(
            f"{old.release_id} et {new.release_id} : l’une tient des chiffres fictifs, l’autre des chiffres réels ; "
            "comparer des versions de même nature"
        )
    program = differing_program(old, new)
    with duckdb.connect() as db:
        open_pair(db, old.path, new.path, thresholds)
        find_changes(db)
        pair_inputs(db)
        find_moved_rules(db, old.path, new.path, same_program=not program)
        attribute_kept(db)
        attribute_presence(db)
        _assemble(db, same_program=not program)
        return Comparison(old, new, db.table("changes").to_arrow_table(), summarise(db, old, new, program))


def _assemble(db: duckdb.DuckDBPyConnection, *, same_program: bool) -> None:
    """What the program did is a residual when the program is the same."""
    last = Cause.RESIDUAL if same_program else Cause.CODE
    nothing = "if(attributed.due_code is null, null, 0.0)"
    names = [*SUBSTITUTED, last]
    db.execute(
        _CHANGES.format(
            substituted=",\n    ".join(f"attributed.{name}" for name in contribution_columns()[: len(SUBSTITUTED)]),
            code=nothing if same_program else "attributed.due_code",
            residual="attributed.due_code" if same_program else nothing,
            names="[" + ", ".join(f"'{name}'" for name in names) + "]",
        )
    )
