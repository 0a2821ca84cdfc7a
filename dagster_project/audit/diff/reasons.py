"""From differences to causes: contributions that add up, one main cause for each changed figure.

A figure that both releases have is recomputed after each cause is substituted, in the order of `causes.SUBSTITUTED`:
from its old inputs it reaches its new ones, and the steps between are the contributions. Where a step has no value
(a cell that only a correction makes readable, say), its contribution waits for the next one that has. The last step is
what the inputs do not explain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.audit.diff.causes import CONTRIBUTIONS, STEP, SUBSTITUTED, Cause
from dagster_project.audit.diff.changes import GAINED, LOST, STATUS

if TYPE_CHECKING:
    import duckdb

# Below this share of the figure, what remains is the rounding of floating-point sums, not a cause.
RELATIVE_ROUNDING = 1e-12
_LAST = len(SUBSTITUTED)
_STEPS = range(_LAST + 1)

# Cells as they stand after each step that does something to the figure; step 0 is the old release.
_SUBSTITUTED = f"""
create table substituted as
with at_work as (
    select distinct figure_no, 0 as step from pair
    union all
    select figure_no, step from effect where step <= {_LAST}
)
select
    pair.figure_no,
    step,
    role,
    variable,
    pair.term as term_variable,
    slot,
    place,
    not o_here or (n_here and coalesce(step >= cell_step, false)) as new_cell,
    not o_here or (n_here and step >= {STEP[Cause.CORRECTION]}) as new_correction,
    if(new_cell, n_mark, o_mark) as mark,
    if(new_correction, n_action, o_action) as action,
    cell_value(
        mark, if(new_cell, n_number, o_number), action, if(new_correction, n_corrected_value, o_corrected_value)
    ) as cell,
    cell_status(mark, cell, action, case
        when step >= {STEP[Cause.SECRECY]} then if(new_cell, n_new_meaning, o_new_meaning)
        else if(new_cell, n_old_meaning, o_old_meaning)
    end) as status,
    cell
        * if(step >= {STEP[Cause.FORMULA]}, n_coefficient, o_coefficient)
        * if(step >= {STEP[Cause.PERIMETER]}, n_share, o_share) as term,
    count(*) over (partition by pair.figure_no, step, role) > 2 as ordered,
    variable != term_variable as is_base
from pair inner join at_work using (figure_no)
where (o_here and n_here) or (n_here and step >= entry_step) or (o_here and step < entry_step)
"""

# Sums of floats depend on their order, which is that of the models; of two terms, they do not.
_STATES = f"""
create table state as
with base as (
    select figure_no, step, role, term_variable, slot, place, term as factor from substituted where is_base
),
term as (
    select figure_no, step, role, variable, slot, place, ordered, term * coalesce(factor, 1) as term
    from (from substituted where not is_base) as cell
    left join base using (figure_no, step, role, term_variable, slot, place)
),
total as (
    select figure_no, step, role, sum(term) as total from term where not ordered group by all
    union all
    select figure_no, step, role, sum(term order by slot, variable, place) from term where ordered group by all
),
summed as (
    select
        figure_no,
        step,
        bool_or(role = 'value') as is_published,
        max(total) filter (where role = 'value') as published,
        max(total) filter (where role = 'numerator') as numerator,
        max(total) filter (where role = 'denominator') as denominator
    from total
    group by all
),
-- The reason that prevails, as in the models (macro statut_le_plus_fort).
reason as (
    select
        figure_no,
        step,
        case
            when bool_and(status = 'ok') then 'ok'
            when bool_or(status = 'secret_primaire') then 'secret_primaire'
            when bool_or(status = 'secret_secondaire') then 'secret_secondaire'
            when bool_or(status = 'convention') then 'convention'
            when bool_and(status = 'non_couvert') then 'non_couvert'
            else 'nd'
        end as status
    from substituted
    group by all
)
select
    figure_no,
    step,
    case
        when reason.status != 'ok' then null
        when is_published then published
        else if(step >= {STEP[Cause.FORMULA]}, n.scale, o.scale) * numerator / nullif(denominator, 0)
    end as value,
    if(reason.status = 'ok' and not is_published and denominator = 0, 'nd', reason.status) as status
from summed
inner join reason using (figure_no, step)
inner join changed using (figure_no)
left join old.indicator as o on changed.indicator_code = o.indicator_code
left join new.indicator as n on changed.indicator_code = n.indicator_code
"""


def _reached(column: str, name: str) -> str:
    """Value or status after each step, `<name><step>`; a step that gives none leaves the figure where it was."""
    before = [f"any_value({column}_before)", *(f"{name}{step}" for step in _STEPS)]
    return ",\n        ".join(
        f"coalesce(any_value(state.{column}) filter (where step = {step}), {before[step]}) as {name}{step}"
        for step in _STEPS
    )


_DUE = ",\n        ".join(
    f"if(measured, v{STEP[cause]} - v{STEP[cause] - 1}, null) as due_{cause}" for cause in SUBSTITUTED
)
_SIZES = ", ".join(f"abs(due_{cause})" for cause in (*SUBSTITUTED, Cause.CODE))
# The step after the last one whose status was not yet the one published.
_STATUS_STEP = " ".join(f"when s{k} != status_after then {k + 1}" for k in reversed(_STEPS))

_KEPT = f"""
create table kept as
with stepped as (
    select
        figure_no,
        {_reached("value", "v")},
        {_reached("status", "s")}
    from changed left join state using (figure_no)
    where change not in ('{GAINED}', '{LOST}')
    group by figure_no
),
measured as (
    select *, value_before is not null and value_after is not null as measured
    from changed inner join stepped using (figure_no)
),
due as (
    select
        *,
        {_DUE},
        if(measured, (value_after - v{_LAST}) - (value_before - v0), null) as remainder,
        if(
            abs(remainder) <= {RELATIVE_ROUNDING} * greatest(abs(value_before), abs(value_after)), 0.0, remainder
        ) as due_code
    from measured
),
at_work as (
    select figure_no, list_sort(list(step)) as steps from effect group by figure_no
),
-- What the inputs do not explain is the doing of the rule of secrecy of the indicator, where that one moved.
shared as (
    select * replace (
        if(moved, due_secrecy + due_code, due_secrecy) as due_secrecy,
        if(moved, 0.0 * due_code, due_code) as due_code
    )
    from (select *, indicator_code in (select indicator_code from moved_rule) as moved from due) as known
),
judged as (
    select
        shared.*,
        list_transform(
            coalesce(at_work.steps, []),
            lambda step: if(moved and step = {STEP[Cause.CODE]}, {STEP[Cause.SECRECY]}, step)
        ) as steps,
        [{_SIZES}] as sizes,
        case
            when change = '{STATUS}' then case {_STATUS_STEP} else {STEP[Cause.CODE]} end
            when list_max(sizes) > 0 then list_position(sizes, list_max(sizes))
            else coalesce(steps[1], {STEP[Cause.CODE]})
        end as last_step,
        if(moved and last_step = {STEP[Cause.CODE]}, {STEP[Cause.SECRECY]}, last_step) as main_step
    from shared left join at_work using (figure_no)
)
select
    changed.*,
    {", ".join(f"due_{cause}" for cause in (*SUBSTITUTED, Cause.CODE))},
    main_step,
    list_sort(list_distinct(list_concat(
        steps, [main_step], list_filter(range(1, {len(STEP) + 1}), lambda step: sizes[step] > 0)
    ))) as all_steps
from judged inner join changed using (figure_no)
"""


def attribute_kept(db: duckdb.DuckDBPyConnection) -> None:
    """Table `kept`: changed figures of both releases with what is due to each cause, from `pair` and `effect`."""
    for statement in (_SUBSTITUTED, _STATES, _KEPT):
        db.execute(statement)


def contribution_columns() -> tuple[str, ...]:
    """Columns of the changes that hold contributions, in the figure's unit; they sum to `difference`."""
    return tuple(f"due_{cause}" for cause in CONTRIBUTIONS)
