{#
    Every source cell that enters a figure, falling out of the join that makes the figure: the cells of its terms, the
    cell that names the zone in each row, and the note that explains an empty cell. By which cell the zone itself
    exists is in `zone_input`. Rows are sorted when they are released, not here: sorting them twice costs seconds.
#}
with

term as (
    {% for theme in themes('formula') %}
        select {{ figure_id() }} as figure_id, * from {{ ref('int_termes__' ~ theme) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

{# A zone without a row in the file has no cell there; the file and column that were searched stand without a row. #}
term_cell as (
    select
        figure_id, role, null as term, variable, coefficient as weight,
        dataset, source_sha256, source_member, source_row, source_column, raw_value, correction_id
    from term
),

lone_key_cell as (
    select
        figure_id, 'key' as role, null as term, null as variable, null as weight,
        dataset, source_sha256, source_member, source_row, key_column, key_value, null as correction_id
    from term
    where key_column is not null and role = 'value'
),

{# The terms of a ratio often stand in one row, which is named once. #}
shared_key_cell as (
    select distinct
        figure_id, 'key' as role, null as term, null as variable, null as weight,
        dataset, source_sha256, source_member, source_row, key_column, key_value, null as correction_id
    from term
    where key_column is not null and role != 'value'
),

{# A variable that is both above and below the bar has one note. #}
note_cell as (
    select distinct
        figure_id, 'note' as role, null as term, variable, null as weight,
        dataset, source_sha256, source_member, source_row, note_column, note_value, null as correction_id
    from term
    where note_column is not null
),

crossed as (
    select {{ figure_id() }} as figure_id, concat_ws(':', unit_code, variable) as term, *
    from {{ crossed('int_termes__') }}
),

{#
    Cells of units: a share, and the count that it is a share of, are one term and multiply. A unit set aside for want
    of a cell leaves what it has, under the role `set_aside`.
#}
unit_cell as (
    select
        figure_id, if(complete, role, 'set_aside') as role, term, variable, weight,
        dataset, source_sha256, source_member, source_row, source_column, raw_value, correction_id
    from crossed
    where source_row is not null
    union all
    select
        figure_id, if(complete, role, 'set_aside'), term, base_variable, 1,
        base_dataset, base_source_sha256, base_source_member, base_source_row, base_source_column, base_raw_value,
        base_correction_id
    from crossed
    where base_source_row is not null
),

unit_key_cell as (
    select distinct
        figure_id, 'key' as role, unit_code as term, null as variable, null as weight,
        dataset, source_sha256, source_member, source_row, key_column, key_value, null as correction_id
    from crossed
    where source_row is not null
    union
    select distinct
        figure_id, 'key', unit_code, null, null,
        base_dataset, base_source_sha256, base_source_member, base_source_row, base_key_column, base_key_value, null
    from crossed
    where base_source_row is not null
),

input as (
    select * from term_cell
    union all
    select * from lone_key_cell
    union all
    select * from shared_key_cell
    union all
    select * from note_cell
    union all
    select * from unit_cell
    union all
    select * from unit_key_cell
    union all
    select * from {{ ref('int_entrees__acces_emploi') }}
    union all
    select * from {{ ref('int_entrees__mobilite') }}
    union all
    select * from {{ ref('int_entrees__non_recours') }}
)

select
    figure_id,
    role,
    term,
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
