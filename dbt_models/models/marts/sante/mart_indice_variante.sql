{# What the indices would be under other choices of scale, weights or aggregation. #}
select zone_level, zone_code, generation, index_code, variant, value, rank, n_components, n_expected, status
from {{ ref('int_modele__vulnerabilite') }}
where sortie = 'indice' and value is not null
order by zone_level, zone_code, generation, index_code, variant
