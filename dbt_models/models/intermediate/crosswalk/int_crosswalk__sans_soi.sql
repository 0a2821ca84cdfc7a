{#
    Are the intervals honest? Each variable is taken as if it were not published: its interval comes from the errors of
    the others in the same class of coverage, as those of figures do: with their sign if they are of its family, which
    must have at least two others, else by their size alone. The share of QPV whose published value falls inside should
    be nine in ten.
#}
with

error as (
    select *, regexp_replace(benchmark_code, '_\d{4}$', '') as variable_code
    from {{ ref('int_crosswalk__erreurs') }}
),

own as (
    select distinct benchmark_code, variable_code, kind, family, method, coverage_class from error
),

pooled as (
    select
        own.benchmark_code,
        own.coverage_class,
        list(other.scaled_error order by other.benchmark_code, other.zone_code)
        filter (where own.family = other.family) as of_the_family,
        count(distinct other.variable_code) filter (where own.family = other.family) as family_variables,
        list(other.scaled_error order by other.benchmark_code, other.zone_code) as of_the_kind,
        list(abs(other.scaled_error) order by other.benchmark_code, other.zone_code) as sizes
    from own
    inner join error as other
        on
            own.kind = other.kind
            and own.method = other.method
            and own.coverage_class = other.coverage_class
            and own.variable_code != other.variable_code
    group by all
),

bound as (
    select
        benchmark_code,
        coverage_class,
        case when family_variables >= 2 then len(of_the_family) else len(of_the_kind) end as comparisons,
        case
            when family_variables >= 2 then {{ quantile_bas('of_the_family') }} else -{{ quantile_taille('sizes') }}
        end as low_scaled_error,
        case
            when family_variables >= 2 then {{ quantile_haut('of_the_family') }} else {{ quantile_taille('sizes') }}
        end as high_scaled_error
    from pooled
)

select
    error.benchmark_code,
    error.coverage_class,
    error.zone_code,
    error.scaled_error between bound.low_scaled_error and bound.high_scaled_error as inside
from error
inner join bound using (benchmark_code, coverage_class)
where bound.comparisons >= {{ var('comparaisons_minimales') }}
