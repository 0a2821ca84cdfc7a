{#
    Every source cell on which a figure depends, falling out of the join that makes the figure: the cells of its terms,
    the cell that names the zone in each row, the note that explains an empty cell, and the cell of the perimeter or
    code list by which the zone exists.
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

key_cell as (
    select distinct
        figure_id, 'key' as role, null as variable, null as weight,
        dataset, source_sha256, source_member, source_row, key_column, key_value, null as correction_id
    from term
    where key_column is not null
),

note_cell as (
    select
        figure_id, 'note' as role, variable, null as weight,
        dataset, source_sha256, source_member, source_row, note_column, note_value, null as correction_id
    from term
    where note_column is not null
),

figure as (
    select distinct figure_id, zone_level, zone_code, generation from term
),

zone_cell as (
    select
        figure.figure_id, 'zone' as role, null as variable, null as weight,
        zone.source_dataset as dataset, zone.source_sha256, zone.source_member, zone.source_row,
        zone.source_column, zone.zone_key as raw_value, null as correction_id
    from figure
    inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
    where zone.source_dataset is not null
),

{# The code list of communes also holds arrondissements and delegated communes: the type makes it a commune. #}
commune_type_cell as (
    select zone_cell.* replace ('TYPECOM' as source_column, 'COM' as raw_value)
    from zone_cell
    where zone_cell.dataset = 'insee_cog_communes'
),

input as (
    select * from term_cell
    union all
    select * from key_cell
    union all
    select * from note_cell
    union all
    select * from zone_cell
    union all
    select * from commune_type_cell
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
order by all
