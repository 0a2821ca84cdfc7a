{# What the uncertainty of each rate of non-take-up is made of: shares of its variance, which add up to 1. #}
select
    zone_level,
    zone_code,
    generation,
    vintage,
    composante,
    part,
    model_version
from {{ ref('int_modele__non_recours') }}
where sortie = 'composante'
order by zone_level, zone_code, generation, vintage, composante
