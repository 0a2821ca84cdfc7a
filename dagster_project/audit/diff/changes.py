"""Which figures are not the same in two releases.

A figure changes when its value, numerator, denominator or status does, when it appears, and when it goes. What only
describes it (reference period, licence, run) does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# Kinds of change: gained, lost, status (the value came, went, or is qualified otherwise), value, or terms alone.
GAINED, LOST, STATUS, VALUE, TERMS = "gagne", "perdu", "statut", "valeur", "composantes"

_CHANGED = f"""
create table changed as
select
    -- Later steps join on a number: names of figures are long.
    row_number() over () as figure_no,
    coalesce(n.figure_id, o.figure_id) as figure_id,
    coalesce(n.indicator_code, o.indicator_code) as indicator_code,
    coalesce(n.zone_level, o.zone_level) as zone_level,
    coalesce(n.zone_code, o.zone_code) as zone_code,
    coalesce(n.generation, o.generation) as generation,
    coalesce(n.vintage, o.vintage) as vintage,
    coalesce(n.unit, o.unit) as unit,
    coalesce(n.dataset, o.dataset) as dataset,
    case
        when o.figure_id is null then '{GAINED}'
        when n.figure_id is null then '{LOST}'
        when o.status is distinct from n.status or (o.value is null) != (n.value is null) then '{STATUS}'
        when o.value is distinct from n.value then '{VALUE}'
        else '{TERMS}'
    end as change,
    o.method as method_before,
    n.method as method_after,
    o.status as status_before,
    n.status as status_after,
    o.value as value_before,
    n.value as value_after,
    o.numerator as numerator_before,
    n.numerator as numerator_after,
    o.denominator as denominator_before,
    n.denominator as denominator_after
from old.indicator_value as o
full join new.indicator_value as n using (figure_id)
where
    o.figure_id is null
    or n.figure_id is null
    or o.status is distinct from n.status
    or o.value is distinct from n.value
    or o.numerator is distinct from n.numerator
    or o.denominator is distinct from n.denominator
"""

# The narrowest threshold that speaks of the indicator holds: its own, its theme's, its unit's, the general one.
_TOLERANCE = """
create table tolerance as
with indicator as (
    select coalesce(n.indicator_code, o.indicator_code) as indicator_code, coalesce(n.theme, o.theme) as theme,
        coalesce(n.unit, o.unit) as unit
    from old.indicator as o full join new.indicator as n using (indicator_code)
)
select indicator.indicator_code, indicator.theme, threshold.absolute, threshold.relative, threshold.reason_fr
from indicator
left join threshold
    on threshold.indicator_code in ('*', indicator.indicator_code)
    and threshold.theme in ('*', indicator.theme)
    and threshold.unit in ('*', indicator.unit)
qualify row_number() over (
    partition by indicator.indicator_code
    order by threshold.indicator_code = '*', threshold.theme = '*', threshold.unit = '*'
) = 1
"""


def find_changes(db: duckdb.DuckDBPyConnection) -> None:
    """Tables `changed` (one row per changed figure) and `tolerance` (one row per indicator of either release)."""
    db.execute(_CHANGED)
    db.execute(_TOLERANCE)
