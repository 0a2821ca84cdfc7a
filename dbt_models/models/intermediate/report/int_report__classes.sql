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
    from {{ ref('int_report__erreurs') }}
),

pooled as (
    select
        kind,
        method,
        coalesce(variable_code, '*') as variable_code,
        coalesce(family, '*') as family,
        coalesce(coverage_class, '*') as coverage_class,
        grouping(variable_code) + grouping(family) as width,
        count(*) as comparisons,
        list(scaled_error order by benchmark_code, zone_code) as errors,
        list(abs(scaled_error) order by benchmark_code, zone_code) as sizes
    from error
    group by grouping sets (
        (kind, method, variable_code, family, coverage_class),
        (kind, method, variable_code, family),
        (kind, method, family, coverage_class),
        (kind, method, family),
        (kind, method, coverage_class),
        (kind, method)
    )
)

select
    kind,
    method,
    variable_code,
    family,
    coverage_class,
    width,
    comparisons,
    case when family = '*' then -{{ quantile_taille('sizes') }} else {{ quantile_bas('errors') }} end as low_scaled_error,
    case when family = '*' then {{ quantile_taille('sizes') }} else {{ quantile_haut('errors') }} end as high_scaled_error
from pooled
where comparisons >= {{ var('comparaisons_minimales') }}
