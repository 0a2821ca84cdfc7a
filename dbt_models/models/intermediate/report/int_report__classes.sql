{#
    Classes of measured errors, from the nearest to the widest: variables of one family or all of a nature, one class of
    coverage or all. A class speaks only with enough comparisons.
#}
with

pooled as (
    select
        kind,
        coalesce(family, '*') as family,
        coalesce(coverage_class, '*') as coverage_class,
        method,
        count(*) as comparisons,
        list(scaled_error order by benchmark_code, zone_code) as errors
    from {{ ref('int_report__erreurs') }}
    group by grouping sets (
        (kind, method, family, coverage_class),
        (kind, method, coverage_class),
        (kind, method)
    )
)

select
    kind,
    family,
    coverage_class,
    method,
    comparisons,
    {{ quantile_bas('errors') }} as low_scaled_error,
    {{ quantile_haut('errors') }} as high_scaled_error
from pooled
where comparisons >= {{ var('comparaisons_minimales') }}
