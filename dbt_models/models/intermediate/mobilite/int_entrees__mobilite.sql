{# The cells of workplaces that each published figure of access counts, each under its weight. #}
with

published as (
    select indicator_code, zone_level, zone_code, generation, vintage from {{ ref('int_indicateurs__mobilite') }}
    where value is not null
),

counted as (
    select
        {{ figure_id() }} as figure_id,
        term.*
    from {{ ref('int_mobilite__termes') }} as term
    semi join published using (indicator_code, zone_level, zone_code, generation, vintage)
)

select
    figure_id, role, iris_code as term, variable, weight,
    dataset, source_sha256, source_member, source_row, source_column, raw_value, correction_id
from counted
union all
select distinct
    figure_id, 'key', iris_code, null, null,
    dataset, source_sha256, source_member, source_row, key_column, key_value, null
from counted
union all
select
    {{ figure_id() }}, 'numerator', null, 'menages_motorises', -1,
    'insee_parts_modales', source_sha256, source_member, source_row, 'Part des ménages ayant au moins 1 voiture 2021',
    raw_value, null
from (
    select
        'D_SANSVOIT' as indicator_code, household.zone_level, household.zone_code, household.generation,
        household.vintage, household.source_sha256, household.source_member, household.source_row,
        raw_cell."Part des ménages ayant au moins 1 voiture 2021" as raw_value
    from {{ ref('stg_insee__parts_modales') }} as household
    inner join {{ source('raw', 'insee_parts_modales') }} as raw_cell
        on household.source_sha256 = raw_cell._source_sha256 and household.source_row = raw_cell._source_row
    semi join {{ ref('dim_zone') }} as zone
        on
            household.zone_level = zone.zone_level
            and household.zone_code = zone.zone_code
            and household.generation = zone.generation
)
