{#
    For each figure of a QPV, the same indicator for its communes, EPCI, département, région, metropolitan France
    and all QPV together. Compared only when both are of one edition and speak of the same reference period.
#}
with

figure as (
    select * from {{ ref('indicator_value') }}
),

qpv as (
    select * from {{ ref('dim_zone') }}
    where zone_level = 'QPV'
),

comparison_zone as (
    select zone_code as qpv_code, generation, 'COM' as comparison_level, unnest(communes) as comparison_code
    from qpv
    union all
    select zone_code, generation, 'HQPV', array_to_string(communes, '+') from qpv
    union all
    select distinct qpv.zone_code, qpv.generation, 'UUENV', iris.unite_urbaine_code
    from qpv
    inner join {{ ref('int_zones__iris') }} as iris on list_contains(qpv.communes, iris.commune_code)
    union all
    select zone_code, generation, 'EPCI', epci from qpv
    union all
    select zone_code, generation, 'DEP', departement from qpv
    union all
    select zone_code, generation, 'REG', region from qpv
    union all
    select zone_code, generation, 'FRM', 'FRM' from qpv
    union all
    select zone_code, generation, 'ENSQPV', 'ENSEMBLE' from qpv
)

select
    figure.indicator_code,
    figure.zone_code,
    figure.generation,
    figure.vintage,
    figure.reference_period,
    figure.value,
    figure.unit,
    figure.status,
    comparison_zone.comparison_level,
    comparison_zone.comparison_code,
    comparison.value as comparison_value,
    comparison.status as comparison_status,
    figure.value - comparison.value as difference,
    figure.figure_id,
    comparison.figure_id as comparison_figure_id
from figure
inner join comparison_zone
    on figure.zone_code = comparison_zone.qpv_code and figure.generation = comparison_zone.generation
inner join figure as comparison
    on
        figure.indicator_code = comparison.indicator_code
        and figure.vintage = comparison.vintage
        and figure.reference_period = comparison.reference_period
        and comparison_zone.comparison_level = comparison.zone_level
        and comparison_zone.comparison_code = comparison.zone_code
        and comparison.generation in (figure.generation, 'COG')
where figure.zone_level = 'QPV'
order by
    figure.indicator_code, figure.zone_code, figure.vintage,
    comparison_zone.comparison_level, comparison_zone.comparison_code
