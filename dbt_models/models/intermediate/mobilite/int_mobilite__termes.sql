{#
    Every figure of the theme that counts workplaces is a sum of cells under weights, or a ratio of two such sums: one row
    per figure, IRIS and side of the bar. Weights come from travel times, cells from the source.
#}
with

trip as (
    select * from {{ ref('int_trajets__zones') }}
),

{# People who compete for the workplaces of an IRIS, 2SFCA: those of all zones of the generation that reach it. #}
demand as (
    select
        trip.iris_code,
        trip.generation,
        sum(trip.tc_45_part * zone.population order by trip.zone_level, trip.zone_code) as tc_habitants,
        sum(trip.voiture_30_part * zone.population order by trip.zone_level, trip.zone_code) as voiture_habitants
    from trip
    inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
    group by all
),

{# Every workplace of the zone d'emploi of each zone, in the networks or not. #}
employment as (
    select known.mode, known.zone_level, known.zone_code, known.generation, workplace.iris_code
    from {{ ref('int_mobilite__couverture') }} as known
    inner join {{ ref('int_mobilite__lieux') }} as workplace using (zone_emploi)
),

employment_trip as (
    select
        employment.*,
        trip.* exclude (zone_level, zone_code, generation, iris_code)
    from employment
    left join trip using (zone_level, zone_code, generation, iris_code)
),

term as (
    {% for mode, suffix in modes().items() %}
        {% for seuil in seuils_min() %}
            select
                'D_CUM_{{ seuil }}_{{ suffix }}' as indicator_code, '{{ mode }}' as mode, zone_level, zone_code,
                generation, iris_code, 'numerator' as role, {{ mode }}_{{ seuil }}_part as weight
            from trip
            union all
            select
                'D_PART_{{ seuil }}_{{ suffix }}', '{{ mode }}', zone_level, zone_code, generation, iris_code,
                unnest(['numerator', 'denominator']), unnest([coalesce({{ mode }}_{{ seuil }}_part, 0), 1])
            from employment_trip
            where mode = '{{ mode }}'
            union all
        {% endfor %}
        select
            'D_T_{{ suffix }}', '{{ mode }}', zone_level, zone_code, generation, iris_code,
            unnest(['numerator', 'denominator']), unnest([{{ mode }}_min, {{ mode }}_part])
        from trip
        union all
        select
            'D_GRAV_{{ suffix }}', '{{ mode }}', zone_level, zone_code, generation, iris_code,
            'numerator', {{ mode }}_attrait
        from trip
        union all
    {% endfor %}
    select
        'D_T_TC_RETOUR', 'tc', zone_level, zone_code, generation, iris_code,
        unnest(['numerator', 'denominator']), unnest([tc_retour_min, tc_retour_part])
    from trip
    union all
    select
        'D_RATIO', 'tc', zone_level, zone_code, generation, iris_code,
        unnest(['numerator', 'denominator']), unnest([ratio_tc_min, ratio_voiture_min])
    from trip
    union all
    select
        'D_DEP', 'tc', zone_level, zone_code, generation, iris_code,
        unnest(['numerator', 'denominator']), unnest([voiture_45_part - tc_45_part, voiture_45_part])
    from trip
    {% for mode, suffix, seuil in [('tc', 'TC', 45), ('voiture', 'VOITURE', 30)] %}
        union all
        select
            'D_2SFCA_{{ suffix }}', '{{ mode }}', trip.zone_level, trip.zone_code, trip.generation, trip.iris_code,
            'numerator', trip.{{ mode }}_{{ seuil }}_part / demand.{{ mode }}_habitants
        from trip
        inner join demand using (iris_code, generation)
        where demand.{{ mode }}_habitants > 0
    {% endfor %}
)

select
    term.indicator_code,
    term.mode,
    term.zone_level,
    term.zone_code,
    term.generation,
    cell.vintage,
    term.iris_code,
    term.role,
    cast(term.weight as double) as weight,
    cell.value,
    cell.dataset,
    cell.variable,
    cell.source_sha256,
    cell.source_member,
    cell.source_row,
    cell.source_column,
    cell.raw_value,
    cell.key_column,
    cell.key_value,
    cell.correction_id
from term
inner join {{ ref('observation') }} as cell
    on term.iris_code = cell.zone_code and cell.zone_level = 'IRIS' and cell.variable = 'iris_employeurs'
where term.weight != 0 and cell.value is not null
