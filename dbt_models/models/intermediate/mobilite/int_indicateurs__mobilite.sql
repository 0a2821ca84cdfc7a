{#
    Figures of access to work. Where networks know less than the first share of a zone's people there is no figure; where
    they know less than nine workplaces in ten of its zone d'emploi, the figure is an estimate and says how many.
    A time by public transport has for interval the quartiles of its departures, where all of them are known.
#}
with

summed as (
    select
        indicator_code,
        mode,
        zone_level,
        zone_code,
        generation,
        vintage,
        sum(weight * value order by iris_code) filter (where role = 'numerator') as numerator,
        sum(weight * value order by iris_code) filter (where role = 'denominator') as denominator
    from {{ ref('int_mobilite__termes') }}
    group by all
),

{# A zone that reaches nothing within a time has a figure, which is zero. #}
expected as (
    select
        indicator.indicator_code,
        indicator.scale,
        indicator.denominator is not null as is_ratio,
        lower(coalesce(nullif(regexp_extract(indicator.indicator_code, '(TC|VOITURE|VELO|MARCHE)', 1), ''), 'tc'))
            as mode
    from {{ ref('indicator') }} as indicator
    where indicator.theme = 'mobilite' and indicator.formula like '%établissements%'
),

edition as (
    select max(vintage) as vintage from {{ ref('observation') }}
    where variable = 'iris_employeurs'
),

{# Only where every place that is reached has its quartiles: a mean of other places would not be around the figure. #}
quartile as (
    select
        trip.zone_level,
        trip.zone_code,
        trip.generation,
        sum(trip.tc_p25_min * cell.value order by trip.iris_code)
        / nullif(sum(trip.tc_quartiles_part * cell.value order by trip.iris_code), 0) as p25_min,
        sum(trip.tc_p75_min * cell.value order by trip.iris_code)
        / nullif(sum(trip.tc_quartiles_part * cell.value order by trip.iris_code), 0) as p75_min
    from {{ ref('int_trajets__zones') }} as trip
    inner join {{ ref('observation') }} as cell
        on trip.iris_code = cell.zone_code and cell.zone_level = 'IRIS' and cell.variable = 'iris_employeurs'
    group by all
    having bool_and(trip.tc_quartiles_part = trip.tc_part)
),

routed as (
    select
        expected.indicator_code,
        known.zone_level,
        known.zone_code,
        known.generation,
        edition.vintage,
        summed.numerator,
        summed.denominator,
        expected.scale * coalesce(summed.numerator, 0)
        / if(expected.is_ratio, nullif(summed.denominator, 0), 1) as value,
        if(expected.indicator_code = 'D_T_TC', quartile.p25_min, null) as ci_low,
        if(expected.indicator_code = 'D_T_TC', quartile.p75_min, null) as ci_high,
        known.coverage,
        known.zone_emploi_part,
        concat_ws(
            ' ; ',
            'rues ' || known.road_vintage,
            'horaires ' || known.transit_vintage || ', service du ' || known.service_date,
            'établissements employeurs Sirene 2026',
            round(100 * known.zone_emploi_part)::int || ' % de ceux de la zone d’emploi sont dans le réseau'
        ) as model_parameters
    from expected
    cross join edition
    inner join {{ ref('int_mobilite__couverture') }} as known on expected.mode = known.mode
    left join summed
        on
            expected.indicator_code = summed.indicator_code
            and known.zone_level = summed.zone_level
            and known.zone_code = summed.zone_code
            and known.generation = summed.generation
    left join quartile
        on
            known.zone_level = quartile.zone_level
            and known.zone_code = quartile.zone_code
            and known.generation = quartile.generation
    where edition.vintage is not null
),

supply as (
    select
        unnest(['D_ARRETS', 'D_COUV']) as indicator_code,
        supply.zone_level,
        supply.zone_code,
        supply.generation,
        edition.vintage,
        unnest([supply.departures, supply.frequent_people]) as numerator,
        unnest([zone.population, supply.people]) as denominator,
        unnest([
            1000 * supply.departures / nullif(zone.population, 0),
            100 * (supply.frequent_people / nullif(supply.people, 0))
        ]) as value,
        supply.coverage,
        'horaires ' || supply.transit_vintage || ', service du ' || supply.service_date as model_parameters
    from {{ source('derived', 'transit_supply') }} as supply
    inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
    cross join edition
    where edition.vintage is not null
),

figure as (
    select
        indicator_code, zone_level, zone_code, generation, vintage, value, numerator, denominator, ci_low, ci_high,
        coverage, coalesce(zone_emploi_part, 0) < {{ var('reseau_complet') }} as partial, model_parameters
    from routed
    union all
    select
        indicator_code, zone_level, zone_code, generation, vintage, value, numerator, denominator, null, null,
        coverage, false, model_parameters
    from supply
),

qualified as (
    select
        *,
        case
            when coverage < {{ var('couverture_minimale') }} or value is null then 'non_couvert'
            when coverage < {{ var('couverture_pleine') }} or partial then 'estime'
            else 'ok'
        end as status
    from figure
),

{# The networks of no zone: said once for each, as for a source that is not there. #}
absent as (
    select
        indicator.indicator_code,
        zone.zone_level,
        zone.zone_code,
        zone.generation,
        coalesce(edition.vintage, '{{ var("edition_modeles") }}') as vintage
    from {{ ref('indicator') }} as indicator
    inner join {{ ref('dim_zone') }} as zone on list_contains(string_split(indicator.levels, ','), zone.zone_level)
    left join edition on true
    where indicator.theme = 'mobilite' and zone.zone_level in ('QPV', 'HQPV')
),

{# The source gives households with a car; those without are the others. #}
carless as (
    select
        'D_SANSVOIT' as indicator_code,
        household.zone_level,
        household.zone_code,
        household.generation,
        household.vintage,
        100 - household.part_menages_motorises as value
    from {{ ref('stg_insee__parts_modales') }} as household
    semi join {{ ref('dim_zone') }} using (zone_level, zone_code, generation)
),

said as (
    select
        indicator_code, zone_level, zone_code, generation, vintage,
        case when status != 'non_couvert' then value end as value,
        case when status != 'non_couvert' then numerator end as numerator,
        case when status != 'non_couvert' then denominator end as denominator,
        case when status != 'non_couvert' then ci_low end as ci_low,
        case when status != 'non_couvert' then ci_high end as ci_high,
        coverage, status, model_parameters
    from qualified
    union all
    select
        absent.indicator_code, absent.zone_level, absent.zone_code, absent.generation, absent.vintage,
        null, null, null, null, null, null, 'non_couvert', null
    from absent
    anti join qualified using (indicator_code, zone_level, zone_code, generation)
)

select
    indicator_code,
    zone_level,
    zone_code,
    generation,
    vintage,
    value,
    numerator::double as numerator,
    denominator::double as denominator,
    ci_low,
    ci_high,
    null::double as n_effective,
    coverage::double as coverage,
    status,
    'osm_reseau' as dataset,
    'temps-de-trajet' as model,
    '{{ var("version_temps_de_trajet") }}' as model_version,
    model_parameters,
    ['RESEAU'] as variable_groups
from said
union all
select
    indicator_code, zone_level, zone_code, generation, vintage, value, null, null, null, null, null,
    if(value is null, null, 1), if(value is null, 'nd', 'ok'), 'insee_parts_modales', 'complement', '1',
    '100 moins la part des ménages ayant au moins une voiture', ['RP']
from carless
