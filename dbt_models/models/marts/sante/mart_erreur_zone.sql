{# The published and the estimated value of each QPV, side by side. #}
select
    benchmark_code,
    libelle_fr,
    kind as nature,
    family,
    method,
    vintage,
    generation,
    zone_code,
    published,
    estimated,
    error,
    coverage,
    coverage_class
from {{ ref('int_crosswalk__erreurs') }}
order by benchmark_code, zone_code
