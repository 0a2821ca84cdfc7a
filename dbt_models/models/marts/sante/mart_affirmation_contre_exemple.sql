{# Neighbourhoods that refute a claim, or that zones without a value leave undecided. #}
select
    claim_id, qpv_code, name, kind, population, share_sensitive, share_unknown, missing_share,
    critical_cut, distance_cut, model_version
from {{ ref('int_modele__claims') }}
where sortie = 'contre_exemples'
order by claim_id, qpv_code
