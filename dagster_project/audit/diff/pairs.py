"""The cells of a changed figure before and after, side by side, and the cause of each difference between them.

Cells are paired by role and variable. A figure that is not published as such (methods other than M0) is composed of
parts, and its cells are also paired by the code that names each part. Differences that cannot reach the figure are
left aside: another spelling of the same number, a revised text under a correction that overrides it both times, a
correction that only flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.audit.diff.causes import STEP, Cause
from dagster_project.audit.diff.changes import GAINED, LOST
from dagster_project.audit.diff.side_by_side import NEW, OLD

if TYPE_CHECKING:
    import duckdb

# The same reading of producers' cells as the models (dbt_models/macros: nombre, valeur_corrigee, observation).
_MACROS = (
    """create macro number(cell) as
        try_cast(replace(translate(cell, ' ' || chr(160) || chr(8239), ''), ',', '.') as double)""",
    """create macro mark(in_file, cell) as case
        when not in_file then 'non_couvert'
        when number(cell) is not null then 'ok'
        when lower(trim(cell)) = 'ns' then 'secret_primaire'
        when lower(trim(cell)) = 'nd' then 'nd'
        when trim(cell) != '' then 'illisible'
        else 'vide'
    end""",
    """create macro cell_value(mark, number, action, corrected) as case
        when mark = 'non_couvert' or action = 'drop' then null
        when action = 'override' then corrected
        when action = 'scale' then corrected * number
        else number
    end""",
    """create macro cell_status(mark, value, action, meaning) as case
        when mark = 'non_couvert' then mark
        when value is not null then 'ok'
        when action = 'drop' or mark = 'ok' then 'nd'
        when mark = 'vide' then meaning
        else mark
    end""",
    # What hides a value, as the file has it: a mark, or an empty cell whose note says so.
    "create macro hidden(mark, meaning) as (case when mark = 'vide' then meaning else mark end) like 'secret%'",
)

# What differs between the releases beside the cells. A column mapped for `*` is mapped for every edition.
_CONTEXT = (
    """create table gone_file as
        select source_sha256 from old.source_file except select source_sha256 from new.source_file""",
    """create table new_file as
        select source_sha256 from new.source_file except select source_sha256 from old.source_file""",
    """create table remapped as
        with mapping as (
            (from old.variable_column except from new.variable_column)
            union all (from new.variable_column except from old.variable_column)
        ),
        edition as (select dataset, vintage from old.source_file union select dataset, vintage from new.source_file)
        select distinct edition.dataset, edition.vintage, mapping.variable
        from mapping
        inner join edition on mapping.dataset = edition.dataset and mapping.vintage in ('*', edition.vintage)""",
    """create table rewritten as
        with term as (select indicator_code, role, variable from old.indicator_term),
        new_term as (select indicator_code, role, variable from new.indicator_term)
        select distinct indicator_code
        from ((from term except from new_term) union all (from new_term except from term))""",
    """create table repadded as
        with padding as (
            select 'old' as side, dataset, source_column, width from old.corrections where action = 'pad'
            union all
            select 'new', dataset, source_column, width from new.corrections where action = 'pad'
        )
        select distinct dataset from padding
        group by dataset, source_column, width having count(distinct side) = 1""",
    """create table meaning as
        with note as (from old.note_status union all from new.note_status),
        code as (select distinct coalesce(note_code, '') as note_code from note),
        dataset as (select distinct dataset from old.variable_column union select dataset from new.variable_column)
        select dataset.dataset, code.note_code,
            coalesce(old_own.status, old_all.status, 'nd') as old_meaning,
            coalesce(new_own.status, new_all.status, 'nd') as new_meaning
        from dataset cross join code
        left join old.note_status as old_own
            on dataset.dataset = old_own.dataset and code.note_code = coalesce(old_own.note_code, '')
        left join old.note_status as old_all
            on old_all.dataset = '*' and code.note_code = coalesce(old_all.note_code, '')
        left join new.note_status as new_own
            on dataset.dataset = new_own.dataset and code.note_code = coalesce(new_own.note_code, '')
        left join new.note_status as new_all
            on new_all.dataset = '*' and code.note_code = coalesce(new_all.note_code, '')""",
)

_CELLS = """
create table cell_{side} as
with input as (
    select
        lineage.* exclude (figure_id),
        changed.figure_no,
        changed.indicator_code,
        changed.method_before != 'M0' or changed.method_after != 'M0' as composed
    from {side}.lineage as lineage inner join changed using (figure_id)
    where changed.change not in ('{gained}', '{lost}')
),
note as (
    select distinct figure_no, variable, source_sha256, source_row, coalesce(raw_value, '') as note_code
    from input where role = 'note'
),
part as (
    select figure_no, source_sha256, source_row, min(raw_value) as part from input where role = 'key' group by all
),
correction as (
    select distinct correction_id, action, corrected_value from {side}.corrections where action != 'flag'
)
select
    input.figure_no,
    input.role,
    input.variable,
    -- Cells of one term multiply: a share, and the count that it is a share of.
    coalesce(regexp_extract(input.term, '[^:]*$'), input.variable) as term,
    input.indicator_code,
    input.dataset,
    input.source_sha256,
    input.source_row,
    input.source_column,
    if(composed, coalesce(part.part, ''), '') as slot,
    row_number() over (
        partition by figure_no, role, variable, term, slot order by source_sha256, source_row, source_column
    ) as place,
    number(input.raw_value) as number,
    mark(input.source_row is not null, input.raw_value) as mark,
    coalesce(meaning.old_meaning, 'nd') as old_meaning,
    coalesce(meaning.new_meaning, 'nd') as new_meaning,
    correction.action,
    correction.corrected_value,
    input.weight,
    coalesce(input.weight / nullif(term.coefficient, 0), 1.0) as share
from input
left join note using (figure_no, variable, source_sha256, source_row)
left join part using (figure_no, source_sha256, source_row)
left join correction using (correction_id)
left join {side}.indicator_term as term using (indicator_code, role, variable)
left join meaning on input.dataset = meaning.dataset and coalesce(note.note_code, '') = meaning.note_code
where input.role in ('value', 'numerator', 'denominator')
"""

_SIDED = (
    *("indicator_code", "dataset", "source_sha256", "number", "mark", "old_meaning", "new_meaning"),
    *("action", "corrected_value", "weight", "share"),
)

_PAIRS = f"""
create table pair as
with joined as (
    select
        coalesce(n.figure_no, o.figure_no) as figure_no,
        coalesce(n.role, o.role) as role,
        coalesce(n.variable, o.variable) as variable,
        coalesce(n.term, o.term) as term,
        coalesce(n.slot, o.slot) as slot,
        coalesce(n.place, o.place) as place,
        coalesce(n.indicator_code, o.indicator_code) as indicator,
        o.figure_no is not null as o_here,
        n.figure_no is not null as n_here,
        {", ".join(f"o.{column} as o_{column}, n.{column} as n_{column}" for column in _SIDED)}
    from cell_old as o
    full join cell_new as n
        on o.figure_no = n.figure_no and o.role = n.role and o.variable = n.variable and o.term = n.term
        and o.slot = n.slot and o.place = n.place
),
known as (
    select
        joined.* exclude (o_share, n_share),
        -- The share of the part and the formula of each side, also for a cell that the other side alone reads.
        coalesce(old_term.coefficient, new_term.coefficient, o_weight, n_weight) as o_coefficient,
        coalesce(new_term.coefficient, old_term.coefficient, n_weight, o_weight) as n_coefficient,
        coalesce(o_share, any_value(o_share) over same_part, n_share) as o_share,
        coalesce(n_share, any_value(n_share) over same_part, o_share) as n_share,
        coalesce(o_source_sha256 in (from gone_file) or n_source_sha256 in (from new_file), false) as fresh,
        coalesce(
            (o_dataset, changed.vintage, joined.variable) in (select (dataset, vintage, variable) from remapped)
            or (n_dataset, changed.vintage, joined.variable) in (select (dataset, vintage, variable) from remapped),
            false
        ) as remapped,
        coalesce(o_dataset in (from repadded) or n_dataset in (from repadded), false) as repadded,
        joined.indicator in (from rewritten) as rewritten,
        (o_mark = 'non_couvert') = (n_mark = 'non_couvert')
            and o_action in ('override', 'drop') and n_action in ('override', 'drop') as overridden,
        o_number is not distinct from n_number and o_mark = n_mark
            and (o_mark != 'vide' or (o_old_meaning = n_old_meaning and o_new_meaning = n_new_meaning)) as same_cell,
        method_before,
        method_after,
        bool_or(o_here) over same_part and bool_or(n_here) over same_part as part_stays,
        bool_or(o_here) over same_term and bool_or(n_here) over same_term as term_stays
    from joined
    inner join changed using (figure_no)
    left join old.indicator_term as old_term
        on joined.indicator = old_term.indicator_code and joined.role = old_term.role
        and joined.variable = old_term.variable
    left join new.indicator_term as new_term
        on joined.indicator = new_term.indicator_code and joined.role = new_term.role
        and joined.variable = new_term.variable
    window
        same_part as (partition by joined.figure_no, joined.slot),
        same_term as (partition by joined.figure_no, joined.role, joined.variable)
),
dated as (
    select
        * exclude (rewritten, remapped, repadded, overridden, same_cell, method_before, method_after),
        -- Another cell, or another text in it: since when?
        case
            when not (o_here and n_here) or same_cell or coalesce(overridden, false) then null
            when fresh and hidden(o_mark, o_old_meaning) != hidden(n_mark, n_new_meaning) then {STEP[Cause.SECRECY]}
            when fresh then {STEP[Cause.VINTAGE]}
            when remapped then {STEP[Cause.FORMULA]}
            when repadded then {STEP[Cause.CORRECTION]}
            else {STEP[Cause.CODE]}
        end as cell_step,
        -- A part of the zone, a term of the formula, that enters or leaves: since when?
        case when not part_stays then {STEP[Cause.PERIMETER]} end as part_step,
        case
            when (o_here and n_here) or (term_stays and not part_stays) then null
            when not term_stays and (rewritten or method_before != method_after) then {STEP[Cause.FORMULA]}
            when bool_or(fresh) over figure then {STEP[Cause.VINTAGE]}
            when bool_or(remapped) over figure then {STEP[Cause.FORMULA]}
            else {STEP[Cause.CODE]}
        end as term_step
    from known
    window figure as (partition by figure_no)
)
select
    *,
    -- What enters is there once all that it needs is; what leaves goes with the first that it needs.
    if(n_here, greatest(part_step, term_step), least(part_step, term_step)) as entry_step,
    o_here and n_here and n_mark != 'non_couvert'
        and (o_action is distinct from n_action or o_corrected_value is distinct from n_corrected_value) as recorrected,
    o_coefficient != n_coefficient as reweighted,
    o_share != n_share as reshared,
    o_here and n_here and n_mark = 'vide' and n_action is null and n_old_meaning != n_new_meaning as reinterpreted
from dated
"""

_EFFECTS = f"""
create table effect as
select figure_no, unnest([
    cell_step,
    part_step,
    term_step,
    case when recorrected then {STEP[Cause.CORRECTION]} end,
    case when reweighted then {STEP[Cause.FORMULA]} end,
    case when reshared then {STEP[Cause.PERIMETER]} end,
    case when reinterpreted then {STEP[Cause.SECRECY]} end
]) as step
from pair
union
select distinct pair.figure_no, {STEP[Cause.FORMULA]}
from pair
inner join old.indicator as o on pair.indicator = o.indicator_code
inner join new.indicator as n on pair.indicator = n.indicator_code
where pair.role = 'denominator' and o.scale is distinct from n.scale
"""


def pair_inputs(db: duckdb.DuckDBPyConnection) -> None:
    """Tables `pair` (one row per cell of a figure, both sides) and `effect` (figure, step of a cause at work)."""
    for statement in (*_MACROS, *_CONTEXT):
        db.execute(statement)
    for side in (OLD, NEW):
        db.execute(_CELLS.format(side=side, gained=GAINED, lost=LOST))
    for statement in (_PAIRS, _EFFECTS, "delete from effect where step is null"):
        db.execute(statement)
