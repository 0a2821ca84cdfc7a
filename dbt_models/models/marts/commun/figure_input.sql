{#
    Every source cell that enters a figure, falling out of the join that makes the figure: the cells of its terms, the
    cell that names the zone in each row, and the note that explains an empty cell. By which cell the zone itself
    exists is in `zone_input`. Rows are sorted when they are released, not here: sorting them twice costs seconds.
#}
with

term as (
    {% for theme in ['population', 'revenus', 'couverture', 'emploi'] %}
        select {{ figure_id() }} as figure_id, * from {{ ref('int_termes__' ~ theme) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

{# A zone without a row in the file has no cell there; the file and column that were searched stand without a row. #}
term_cell as (
    select
        figure_id, role, variable, coefficient as weight,
        dataset, source_sha256, source_member, source_row, source_column, raw_value, correction_id
    from term
),

lone_key_cell as (
    select
        figure_id, 'key' as role, null as variable, null as weight,
        dataset, source_sha256, source_member, source_row, key_column, key_value, null as correction_id
    from term
    where key_column is not null and role = 'value'
),

{# The terms of a ratio often stand in one row, which is named once. #}
shared_key_cell as (
    select distinct
        figure_id, 'key' as role, null as variable, null as weight,
        dataset, source_sha256, source_member, source_row, key_column, key_value, null as correction_id
    from term
    where key_column is not null and role != 'value'
),

{# A variable that is both above and below the bar has one note. #}
note_cell as (
    select distinct
        figure_id, 'note' as role, variable, null as weight,
        dataset, source_sha256, source_member, source_row, note_column, note_value, null as correction_id
    from term
    where note_column is not null
),

input as (
    select * from term_cell
    union all
    select * from lone_key_cell
    union all
    select * from shared_key_cell
    union all
    select * from note_cell
)

select
    figure_id,
    role,
    variable,
    cast(weight as double) as weight,
    dataset,
    source_sha256,
    source_member,
    source_row,
    source_column,
    raw_value,
    correction_id
from input
