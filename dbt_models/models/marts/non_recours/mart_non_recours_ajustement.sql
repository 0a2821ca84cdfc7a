{#
    How well the two laws of the method of quantiles fit the incomes of each zone, and what they say at the ceilings,
    where an estimate was made.
#}
select
    zone_level,
    zone_code,
    generation,
    vintage,
    methode,
    rmse,
    part_np,
    part_p,
    ecart_np,
    ecart_p,
    model_version
from {{ ref('int_modele__non_recours') }}
where sortie = 'ajustement'
order by zone_level, zone_code, generation, vintage, methode
