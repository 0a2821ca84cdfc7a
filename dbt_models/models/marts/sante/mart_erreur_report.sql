{# The measured error of downscaling: one row per variable compared and class of coverage, and `toutes` for all. #}
with

{# Each comparison counts in its class, and in all classes together. #}
error as (
    select * from {{ ref('int_crosswalk__erreurs') }}
    union all
    select * replace ('toutes' as coverage_class) from {{ ref('int_crosswalk__erreurs') }}
),

held_out as (
    select * from {{ ref('int_crosswalk__sans_soi') }}
    union all
    select * replace ('toutes' as coverage_class) from {{ ref('int_crosswalk__sans_soi') }}
),

honest as (
    select benchmark_code, coverage_class, avg(cast(inside as integer)) as leave_one_out
    from held_out
    group by benchmark_code, coverage_class
),

measured as (
    select
        benchmark_code,
        coverage_class,
        any_value(libelle_fr) as libelle_fr,
        any_value(kind) as nature,
        any_value(family) as family,
        any_value(method) as method,
        any_value(generation) as generation,
        any_value(vintage) as vintage,
        count(zone_code) as zones,
        sum(published order by zone_code) as published_total,
        sum(estimated order by zone_code) as estimated_total,
        avg(error order by zone_code) as bias,
        avg(abs(error) order by zone_code) as mean_absolute_error,
        sqrt(avg(error * error order by zone_code)) as root_mean_square_error,
        quantile_cont(error, 0.05) as error_q05,
        quantile_cont(error, 0.5) as error_q50,
        quantile_cont(error, 0.95) as error_q95
    from error
    group by benchmark_code, coverage_class
)

select
    measured.benchmark_code,
    measured.libelle_fr,
    measured.nature,
    measured.family,
    measured.method,
    measured.generation,
    measured.vintage,
    measured.coverage_class,
    measured.zones,
    case when measured.nature = 'count' then measured.published_total end as published_total,
    case when measured.nature = 'count' then measured.estimated_total end as estimated_total,
    measured.bias,
    measured.mean_absolute_error,
    measured.root_mean_square_error,
    measured.error_q05,
    measured.error_q50,
    measured.error_q95,
    honest.leave_one_out
from measured
left join honest using (benchmark_code, coverage_class)
order by measured.benchmark_code, measured.coverage_class
