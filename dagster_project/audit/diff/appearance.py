"""Why a figure appeared or went: what one release needed to make it and the other one lacked.

Its zone, its terms and its edition are each necessary: those that lacked are its causes, in that order. When none
lacked, the figure hung on the contents of a file, on the column that feeds a variable, or on a padded code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.audit.diff.causes import STEP
from dagster_project.audit.diff.changes import GAINED, LOST
from dagster_project.audit.diff.side_by_side import NEW, OLD

if TYPE_CHECKING:
    import duckdb

_PRESENCE = """
insert into presence
with figure as (
    select * from changed where change = '{change}'
),
cell as (
    select distinct figure_no, figure.indicator_code, figure.vintage, lineage.role, lineage.variable, lineage.dataset,
        lineage.source_sha256, lineage.source_column
    from {having}.lineage as lineage inner join figure using (figure_id)
    -- What a share is a share of stands in the formula beside it, not as a term of its own.
    where lineage.role in ('value', 'numerator', 'denominator')
        and coalesce(regexp_extract(lineage.term, '[^:]*$'), lineage.variable) = lineage.variable
),
of_cells as (
    select
        cell.figure_no,
        bool_or(term.variable is null) as no_term,
        bool_or(edition.dataset is null) as no_edition,
        bool_or(file.source_sha256 is null) as no_file,
        bool_or(remapped.variable is not null) as remapped,
        bool_or(repadded.dataset is not null) as repadded
    from cell
    left join {lacking}.indicator_term as term using (indicator_code, role, variable)
    left join (select distinct dataset, vintage from {lacking}.source_file) as edition using (dataset, vintage)
    left join (select distinct source_sha256 from {lacking}.source_file) as file using (source_sha256)
    left join remapped using (dataset, vintage, variable)
    left join repadded using (dataset)
    group by cell.figure_no
),
judged as (
    select
        figure.figure_no,
        list_filter([
            if(zone.zone_code is null, {perimeter}, null),
            if(indicator.indicator_code is null or coalesce(no_term, false), {formula}, null),
            if(edition.dataset is null or coalesce(no_edition, false), {vintage}, null)
        ], lambda step: step is not null) as necessary,
        case
            when coalesce(remapped, false) then {formula}
            when coalesce(no_file, false) then {vintage}
            when coalesce(repadded, false) then {correction}
            else {code}
        end as otherwise
    from figure
    left join of_cells using (figure_no)
    left join {lacking}.dim_zone as zone using (zone_level, zone_code, generation)
    left join {lacking}.indicator as indicator using (indicator_code)
    left join (select distinct dataset, vintage from {lacking}.source_file) as edition
        on figure.dataset = edition.dataset and figure.vintage = edition.vintage
)
select
    figure_no,
    if(len(necessary) > 0, necessary[1], otherwise) as main_step,
    if(len(necessary) > 0, list_sort(necessary), [otherwise]) as all_steps
from judged
"""


def attribute_presence(db: duckdb.DuckDBPyConnection) -> None:
    """Table `presence`: main cause and all causes of each figure that one release alone has."""
    db.execute("create table presence (figure_no bigint, main_step integer, all_steps integer[])")
    steps = {cause.value: step for cause, step in STEP.items()}
    for change, having, lacking in ((GAINED, NEW, OLD), (LOST, OLD, NEW)):
        db.execute(_PRESENCE.format(change=change, having=having, lacking=lacking, **steps))
