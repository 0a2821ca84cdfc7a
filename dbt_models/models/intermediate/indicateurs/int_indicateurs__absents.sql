{#
    Figures of indicators none of whose sources was received: a convention is awaited, or the territory is not covered.
    Said for each zone that someone looks up; for IRIS and communes, thousands of which would repeat it,
    `source_presence` says it once.
#}
with

source as (
    select
        indicator.indicator_code,
        string_split(indicator.levels, ',') as levels,
        unnest(string_split(indicator.source_datasets, ',')) as dataset
    from {{ ref('indicator') }} as indicator
    {# What a model makes of these indicators says its own absence. #}
    where indicator.indicator_code in (select term.indicator_code from {{ ref('indicator_term') }} as term)
),

presence as (
    select
        dataset,
        min(vintage) as vintage,
        bool_or(present) as present,
        min(status) as status
    from {{ source('derived', 'source_presence') }}
    group by dataset
),

missing as (
    select
        source.indicator_code,
        any_value(source.levels) as levels,
        min(presence.status) as status,
        min(presence.vintage) as vintage,
        min(source.dataset) as dataset
    from source
    left join presence using (dataset)
    group by source.indicator_code
    having bool_and(coalesce(not presence.present, false))
)

select
    missing.indicator_code,
    zone.zone_level,
    zone.zone_code,
    zone.generation,
    missing.vintage,
    missing.status,
    missing.dataset,
    ['ABSENTE'] as variable_groups
from missing
inner join {{ ref('dim_zone') }} as zone on list_contains(missing.levels, zone.zone_level)
where zone.zone_level not in ('IRIS', 'COM')
