{#
    Classes of measured errors, from the nearest to the widest: one variable, a family of variables, or all of a nature;
    one class of coverage, or all. A class speaks only with enough comparisons.

    Where the class is of the variable or of its family, its errors keep their sign: what brings from IRIS draws a QPV
    towards its surroundings, always in the same way. Errors of other variables say how large an error is, not which
    way it goes: only their size is kept.
#}
with

error as (
    select *, regexp_replace(benchmark_code, '_\d{4}$', '') as variable_code
    from {{ ref('int_crosswalk__erreurs') }}
),

{# From the nearest class to the widest: whose errors, and under which coverage. #}
grain as (
    {% for width in (0, 1, 2) %}
        select {{ width }} as width, true as same_coverage
        union all
        select {{ width }} as width, false as same_coverage
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

pooled as (
    select
        error.kind,
        error.method,
        case when grain.width = 0 then error.variable_code else '*' end as variable_code,
        case when grain.width < 2 then error.family else '*' end as family,
        case when grain.same_coverage then error.coverage_class else '*' end as coverage_class,
        grain.width,
        count(error.scaled_error) as comparisons,
        list(error.scaled_error order by error.benchmark_code, error.zone_code) as errors,
        list(abs(error.scaled_error) order by error.benchmark_code, error.zone_code) as sizes
    from error
    cross join grain
    group by all
)

select
    kind,
    method,
    variable_code,
    family,
    coverage_class,
    width,
    comparisons,
    case
        when family = '*' then -{{ quantile_taille('sizes') }} else {{ quantile_bas('errors') }}
    end as low_scaled_error,
    case
        when family = '*' then {{ quantile_taille('sizes') }} else {{ quantile_haut('errors') }}
    end as high_scaled_error
from pooled
where comparisons >= {{ var('comparaisons_minimales') }}
