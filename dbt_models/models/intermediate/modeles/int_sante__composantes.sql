{#
    What the composite indices are made of: one row per zone and component, with the standard error of its value. The
    error of an IRIS is the sampling error of the census (two dwellings in five over five years in communes of 10,000
    inhabitants or more; the others are counted whole); that of a zone brought from IRIS is the measured one. Health
    components are the smoothed standardised indices.
#}
with

component as (
    {% for index, component, sampled in [
        ('A_SOCIO', 'A_HLM', true), ('A_SOCIO', 'A_IMM', true), ('A_SOCIO', 'A_C2SNP', false),
        ('A_SANTE', 'A_ASTHME', false), ('A_SANTE', 'A_DIAB', false), ('A_SANTE', 'A_ALD', false)
    ] %}
        select '{{ component }}' as component, '{{ index }}' as index_code, {{ sampled | lower }} as sampled
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

zone as (
    select * from {{ ref('dim_zone') }}
    where zone_level in ('IRIS', 'QPV', 'HQPV', 'UUENV', 'COM', 'EPCI', 'DEP', 'REG')
),

commune as (
    select zone_code as commune_code, population from {{ ref('dim_zone') }}
    where zone_level = 'COM'
),

{# Census: 40 % of dwellings are drawn, the finite population leaves 60 % of the variance. #}
of_iris as (
    select
        figure.indicator_code as component,
        figure.zone_level,
        figure.zone_code,
        figure.generation,
        figure.vintage,
        figure.value,
        case
            when component.sampled and commune.population >= 10000
                then sqrt(0.6 * figure.value * (100 - figure.value) / (0.4 * nullif(zone.population, 0)))
            else 0
        end as error_sd,
        figure.status
    from {{ ref('int_indicateurs__sante') }} as figure
    inner join component on figure.indicator_code = component.component and component.index_code = 'A_SOCIO'
    inner join zone using (zone_level, zone_code, generation)
    left join commune on zone.communes[1] = commune.commune_code
    where figure.zone_level = 'IRIS'
),

{# A 90 % interval is 3.29 standard errors wide. #}
of_zone as (
    select
        figure.indicator_code,
        figure.zone_level,
        figure.zone_code,
        figure.generation,
        figure.vintage,
        figure.value,
        coalesce((bounds.ci_high - bounds.ci_low) / 3.29, 0),
        figure.status
    from {{ ref('int_indicateurs__sante_crosswalk') }} as figure
    inner join component on figure.indicator_code = component.component and component.index_code = 'A_SOCIO'
    left join {{ ref('int_crosswalk__intervalles') }} as bounds
        using (indicator_code, zone_level, zone_code, generation, vintage)
),

standardised as (
    select
        component, zone_level, zone_code, generation, vintage, value, error_sd, status
    from {{ ref('int_modele__icm') }}
),

known as (
    select * from of_iris
    union all
    select * from of_zone
    union all
    select * from standardised
),

latest as (
    select * from known
    qualify vintage = max(vintage) over (partition by component)
),

absence as (
    select
        component.component,
        min(presence.status) as status
    from component
    inner join {{ ref('indicator') }} as indicator on component.component = indicator.indicator_code
    inner join {{ source('derived', 'source_presence') }} as presence
        on list_contains(string_split(indicator.source_datasets, ','), presence.dataset)
    group by component.component
    having bool_and(not presence.present)
)

select
    zone.zone_level,
    zone.zone_code,
    zone.generation,
    zone.zone_level as mesh,
    cast(zone.population as double) as population,
    component.component,
    component.index_code,
    latest.vintage,
    latest.value,
    case when latest.value is not null then cast(latest.error_sd as double) end as error_sd,
    coalesce(latest.status, absence.status, 'nd') as status
from zone
cross join component
left join latest
    on
        component.component = latest.component
        and zone.zone_level = latest.zone_level
        and zone.zone_code = latest.zone_code
        and zone.generation = latest.generation
left join absence on component.component = absence.component
