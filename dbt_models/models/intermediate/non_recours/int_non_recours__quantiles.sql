{#
    Quantiles of the living standard in one year of incomes, the latest of which France and QPV both have: what a zone
    is compared with must be of the same year.
#}
with

rank as (
    {% for code, ordre in [
        ('FILO_D1', 0.1), ('FILO_D2', 0.2), ('FILO_Q1', 0.25), ('FILO_D3', 0.3), ('FILO_D4', 0.4), ('FILO_MED', 0.5),
        ('FILO_D6', 0.6), ('FILO_D7', 0.7), ('FILO_Q3', 0.75), ('FILO_D8', 0.8), ('FILO_D9', 0.9)
    ] %}
        select '{{ code }}' as indicator_code, cast({{ ordre }} as double) as ordre
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

figure as (
    select
        rank.ordre,
        revenus.indicator_code,
        {{ cle_zone('revenus') }},
        revenus.vintage,
        revenus.value,
        revenus.status
    from {{ ref('int_indicateurs__revenus') }} as revenus
    inner join rank using (indicator_code)
),

common_year as (
    select max(nation.vintage) as income_year
    from figure as nation
    semi join figure as neighbourhood
        on
            nation.vintage = neighbourhood.vintage
            and neighbourhood.zone_level = 'QPV' and neighbourhood.value is not null
    where nation.zone_level = 'FRM' and nation.value is not null
),

{# Zones to estimate, and those that others are mixed from: most communes are neither. #}
needed as (
    select {{ cle_zone() }} from {{ ref('int_non_recours__taux') }}
    union
    select part_level, part_code, part_generation from {{ ref('int_non_recours__melanges') }}
    union
    select {{ cle_zone() }} from {{ ref('dim_zone') }}
    where zone_level = 'FRM'
)

select
    figure.ordre,
    figure.indicator_code,
    {{ cle_zone('figure') }},
    figure.vintage as income_year,
    figure.value as montant,
    figure.status
from figure
inner join common_year on figure.vintage = common_year.income_year
semi join needed using (zone_level, zone_code, generation)
