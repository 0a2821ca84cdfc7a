"""Columns of what `claim_test.judge` returns."""

from __future__ import annotations

from dagster_project.models.arrow_tables import schema_of

# Claims' own columns, then the verdict. `n`: QPV decided, of `n_qpv`; `k`: those in sensitive zones. Bounds are
# Clopper–Pearson's at the claim's alpha. `counter_examples`: codes, comma between. `status`: ok, or why it is not
# testable. Part one: `n_sensitive_without_qpv` sensitive zones hold no QPV inhabitant, `n_sensitive_not_qpv` less than
# the required share; `ppv_*`: share of sensitive zones that are QPV zones, of people of sensitive zones who live in a
# QPV. `cut_value`: lowest index of a sensitive zone, null for two indices. `auc`, `smallest_share`, `smallest_cut`: see
# `claims.Curve`. `null_*`: see `spatial_null.Null`; bounds hold 95 % of draws.
VERDICT = schema_of(
    "claim_id statement_fr generation mesh index_code cut_quantile:f share_required:f is_primary:b alpha:f draws:i "
    "seed:i verdict reason_fr status n_qpv:i n:i k:i n_undecided:i share_k:f low_two_sided:f high_two_sided:f "
    "low_one_sided:f counter_examples cut_value:f part_one_verdict n_zones:i n_sensitive:i "
    "n_sensitive_without_qpv:i n_sensitive_not_qpv:i ppv_zones:f ppv_population:f share_population_sensitive:f "
    "share_qpv_population_sensitive:f kappa:f mcc:f auc:f smallest_share:f smallest_cut:f null_p:f null_k_median:f "
    "null_k_low:f null_k_high:f null_widened:i null_fixed:i model_version"
)
# `share_labelled`: share of the people of zones with a value who live at or above the cut.
CURVE = schema_of("claim_id cut_quantile:f share_labelled:f k:i n:i share_k:f model_version")
# `kind`: contre_exemple, or indecis. `missing_share`: what the QPV lacks of the required share. `critical_cut`: highest
# cut quantile at which it would be sensitive; `distance_cut`: how much lower than the claim's that is.
CONTRE_EXEMPLES = schema_of(
    "claim_id qpv_code name kind population:f share_sensitive:f share_unknown:f missing_share:f critical_cut:f "
    "distance_cut:f model_version"
)
# `method`: apparie_revenu (estimate in index points) or logit (log-odds, and their odds_ratio); see `circularity`.
CIRCULARITE = schema_of(
    "claim_id method estimate:f ci_low:f ci_high:f odds_ratio:f n_zones:i n_communes:i n_excluded:i income_gap:f "
    "status model_version"
)
# `n_zones` have a value and a neighbour with one; `n_islands` a value only. `lisa_*`: zones significant at 5 %.
MORAN = schema_of(
    "mesh index_code n_zones:i n_islands:i n_without_value:i moran_i:f expected_i:f z:f p:f draws:i seed:i "
    "lisa_haut_haut:i lisa_bas_haut:i lisa_bas_bas:i lisa_haut_bas:i status model_version"
)
