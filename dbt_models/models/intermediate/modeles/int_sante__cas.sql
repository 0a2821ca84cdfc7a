{#
    Cases treated in each zone, beside the persons covered: those of its IRIS, brought by the crosswalk like any count. A
    masked IRIS counts for neither.
#}
with

variable as (
    select
        unnest(['A_ASTHME', 'A_DIAB', 'A_ALD']) as component,
        unnest(['sante_asthme', 'sante_diabete', 'sante_ald']) as variable
),

count as (
    select * from {{ ref('observation') }}
    where zone_level = 'IRIS' and dataset = 'ors_sante_iris'
),

of_iris as (
    select
        cases.zone_code as iris_code,
        cases.vintage,
        variable.component,
        cases.value as observed,
        covered.value as beneficiaries,
        cases.status
    from count as cases
    inner join variable using (variable)
    left join count as covered
        on
            cases.zone_code = covered.zone_code
            and cases.vintage = covered.vintage
            and covered.variable = 'sante_benef'
),

of_zone as (
    select
        link.to_level as zone_level,
        link.to_code as zone_code,
        link.to_generation as generation,
        of_iris.vintage,
        of_iris.component,
        sum(link.weight * of_iris.observed order by of_iris.iris_code)
        filter (where of_iris.observed is not null and of_iris.beneficiaries is not null) as observed,
        sum(link.weight * of_iris.beneficiaries order by of_iris.iris_code)
        filter (where of_iris.observed is not null and of_iris.beneficiaries is not null) as beneficiaries,
        any_value(link.coverage) as coverage
    from of_iris
    inner join {{ ref('crosswalk') }} as link
        on link.from_level = 'IRIS' and of_iris.iris_code = link.from_code
    group by all
)

select
    'IRIS' as zone_level, iris_code as zone_code, 'COG' as generation, vintage, component,
    observed, beneficiaries, status, cast(1 as double) as coverage
from of_iris
union all
select
    zone_level, zone_code, generation, vintage, component,
    case when coverage >= {{ var('couverture_minimale') }} then observed end as observed,
    beneficiaries,
    case
        when observed is null then 'secret_primaire'
        when coverage < {{ var('couverture_minimale') }} then 'non_couvert'
        when coverage < {{ var('couverture_pleine') }} then 'estime'
        else 'ok'
    end as status,
    coverage
from of_zone
