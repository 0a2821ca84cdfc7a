{# Non-take-up of each QPV if its eligible persons had the profiles of all QPV together. #}
select
    zone_level, zone_code, generation, vintage, value as non_recours_standardise, ci_low, ci_high, odds_ratio, n_cells,
    status, motif, model_version
from {{ ref('int_modele__profils_c2s') }}
where sortie = 'zone'
order by zone_level, zone_code, generation, vintage
