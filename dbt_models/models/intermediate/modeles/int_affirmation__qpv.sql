{# QPV whose claims are tested: those of the territory. #}
select generation, zone_code as qpv_code, name, cast(population as double) as population
from {{ ref('dim_zone') }}
where zone_level = 'QPV'
