{# Verdict of each claim; see `dagster_project/models/claim_test.py`. #}
select
    claim_id, statement_fr, generation, mesh, index_code, cut_quantile, share_required, is_primary,
    alpha, draws, seed, verdict, reason_fr, status, n_qpv, n, k, n_undecided, share_k, low_two_sided,
    high_two_sided, low_one_sided, nullif(counter_examples, '') as counter_examples, cut_value,
    part_one_verdict, n_zones, n_sensitive, n_sensitive_without_qpv, n_sensitive_not_qpv, ppv_zones,
    ppv_population, share_population_sensitive, share_qpv_population_sensitive, kappa, mcc, auc,
    smallest_share, smallest_cut, null_p, null_k_median, null_k_low, null_k_high, null_widened,
    null_fixed, model_version
from {{ ref('int_modele__claims') }}
where sortie = 'verdict'
order by claim_id
