{# Triviality control: k of n at every cut. #}
select
    claim_id, cut_quantile, share_labelled, k, n, share_k, model_version
from {{ ref('int_modele__claims') }}
where sortie = 'curve'
order by claim_id, cut_quantile
