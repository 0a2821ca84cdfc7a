{# What is left at equal income. #}
select
    claim_id, method, estimate, ci_low, ci_high, odds_ratio, n_zones, n_communes, n_excluded,
    income_gap, status, model_version
from {{ ref('int_modele__claims') }}
where sortie = 'circularite'
order by claim_id, method
