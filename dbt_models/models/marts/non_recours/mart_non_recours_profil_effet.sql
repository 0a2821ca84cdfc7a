{# What each profile changes to the odds of taking the C2S up, other things equal. #}
select
    generation, vintage, term, modality, reference, coefficient, odds_ratio, ci_low, ci_high, method, status, motif,
    model_version
from {{ ref('int_modele__profils_c2s') }}
where sortie = 'effet'
order by generation, vintage, term, modality
