{#
    Non-take-up of the C2S by household profile and QPV, observed and smoothed, where secrecy lets it be shown. No total
    of a zone stands beside. No row without the partner's file.
#}
select
    zone_level, zone_code, generation, vintage, type_menage, tranche_age, statut_occupation, n_eligibles,
    n_beneficiaires, observed as non_recours, smoothed as non_recours_lisse, ci_low, ci_high, status, motif,
    model_version
from {{ ref('int_modele__profils_c2s') }}
where sortie = 'prediction'
order by zone_level, zone_code, generation, vintage, type_menage, tranche_age, statut_occupation
