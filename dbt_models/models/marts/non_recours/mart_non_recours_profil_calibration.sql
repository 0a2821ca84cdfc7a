{# How well the profile model predicts: expected and observed by class, and for all cells (`tranche` 0). #}
select
    generation, vintage, sample, tranche, n_cells, n_eligibles, expected, observed, pente, ordonnee, brier,
    brier_reference, hosmer_lemeshow, hosmer_lemeshow_ddl, hosmer_lemeshow_p, dispersion, zone_sd, status, motif,
    model_version
from {{ ref('int_modele__profils_c2s') }}
where sortie = 'calibration'
order by generation, vintage, sample, tranche
