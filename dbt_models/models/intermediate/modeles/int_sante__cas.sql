{#
    Cases observed and expected in each zone: those of its IRIS, brought by the crosswalk like any count. An IRIS without
    one of the two counts for neither.
#}
with

observed as (
    select zone_code as iris_code, vintage, variable, value
    from {{ ref('observation') }}
    where zone_level = 'IRIS' and variable in ('sante_asthme', 'sante_diabete', 'sante_ald') and value is not null
),

of_iris as (
    select
        expected.iris_code,
        expected.vintage,
        expected.indicator_code,
        observed.value as observed,
        expected.expected
    from {{ ref('int_modele__attendus') }} as expected
    inner join observed
        on
            expected.iris_code = observed.iris_code
            and expected.vintage = observed.vintage
            and expected.variable = observed.variable
    where expected.expected > 0
),

of_zone as (
    select
        link.to_level as zone_level,
        link.to_code as zone_code,
        link.to_generation as generation,
        of_iris.vintage,
        of_iris.indicator_code,
        sum(link.weight * of_iris.observed order by of_iris.iris_code) as observed,
        sum(link.weight * of_iris.expected order by of_iris.iris_code) as expected,
        sum(link.population order by of_iris.iris_code) filter (where link.weight >= 0.5) as rendered,
        any_value(link.coverage) as coverage
    from of_iris
    inner join {{ ref('crosswalk') }} as link
        on link.from_level = 'IRIS' and of_iris.iris_code = link.from_code
    group by all
)

select 'IRIS' as zone_level, iris_code as zone_code, 'COG' as generation, vintage, indicator_code, observed, expected,
    cast(1 as double) as coverage
from of_iris
union all
select zone_level, zone_code, generation, vintage, indicator_code, observed, expected, coverage
from of_zone
