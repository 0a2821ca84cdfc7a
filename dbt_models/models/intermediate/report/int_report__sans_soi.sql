{#
    Are the intervals honest? Each variable is taken as if it were not published: its interval comes from the errors of
    the others in the same class of coverage: of its family if that has at least two others, else of its nature. The
    share of QPV whose published value falls inside should be nine in ten.
#}
with

error as (
    select *, regexp_replace(benchmark_code, '_\d{4}$', '') as variable_code
    from {{ ref('int_report__erreurs') }}
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
        list(other.scaled_error order by other.benchmark_code, other.zone_code) as of_the_kind
    from own
    inner join error as other
        on
            own.kind = other.kind
            and own.method = other.method
            and own.coverage_class = other.coverage_class
            and own.variable_code != other.variable_code
    group by all
),

chosen as (
    select
        benchmark_code,
        coverage_class,
        case when family_variables >= 2 then of_the_family else of_the_kind end
            as errors
    from pooled
)

select
    error.benchmark_code,
    error.coverage_class,
    error.zone_code,
    error.scaled_error
    between {{ quantile_bas('chosen.errors') }} and {{ quantile_haut('chosen.errors') }} as inside
from error
inner join chosen using (benchmark_code, coverage_class)
where len(chosen.errors) >= {{ var('comparaisons_minimales') }}
