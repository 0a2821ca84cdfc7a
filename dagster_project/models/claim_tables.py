"""Columns of what `affirmations.judge` returns."""

from __future__ import annotations

import pyarrow as pa

# Claims' own columns, then the verdict. `n`: QPV decided, of `n_qpv`; `k`: those in sensitive zones. Bounds are
# Clopper–Pearson's at the claim's alpha. `counter_examples`: codes, comma between. `status`: ok, or why it is not
# testable. Part one: `n_sensitive_without_qpv` sensitive zones hold no QPV inhabitant, `n_sensitive_not_qpv` less than
# the required share; `ppv_*`: share of sensitive zones that are QPV zones, of people of sensitive zones who live in a
# QPV. `cut_value`: lowest index of a sensitive zone, null for two indices. `auc`, `smallest_share`, `smallest_cut`: see
# `claims.Curve`. `null_*`: see `spatial_null.Null`; bounds hold 95 % of draws.
VERDICT = pa.schema(
    [
        ("claim_id", pa.string()),
        ("statement_fr", pa.string()),
        ("generation", pa.string()),
        ("mesh", pa.string()),
        ("index_code", pa.string()),
        ("cut_quantile", pa.float64()),
        ("share_required", pa.float64()),
        ("is_primary", pa.bool_()),
        ("alpha", pa.float64()),
        ("draws", pa.int64()),
        ("seed", pa.int64()),
        ("verdict", pa.string()),
        ("reason_fr", pa.string()),
        ("status", pa.string()),
        ("n_qpv", pa.int64()),
        ("n", pa.int64()),
        ("k", pa.int64()),
        ("n_undecided", pa.int64()),
        ("share_k", pa.float64()),
        ("low_two_sided", pa.float64()),
        ("high_two_sided", pa.float64()),
        ("low_one_sided", pa.float64()),
        ("counter_examples", pa.string()),
        ("cut_value", pa.float64()),
        ("part_one_verdict", pa.string()),
        ("n_zones", pa.int64()),
        ("n_sensitive", pa.int64()),
        ("n_sensitive_without_qpv", pa.int64()),
        ("n_sensitive_not_qpv", pa.int64()),
        ("ppv_zones", pa.float64()),
        ("ppv_population", pa.float64()),
        ("share_population_sensitive", pa.float64()),
        ("share_qpv_population_sensitive", pa.float64()),
        ("kappa", pa.float64()),
        ("mcc", pa.float64()),
        ("auc", pa.float64()),
        ("smallest_share", pa.float64()),
        ("smallest_cut", pa.float64()),
        ("null_p", pa.float64()),
        ("null_k_median", pa.float64()),
        ("null_k_low", pa.float64()),
        ("null_k_high", pa.float64()),
        ("null_widened", pa.int64()),
        ("null_fixed", pa.int64()),
        ("model_version", pa.string()),
    ]
)
# `share_labelled`: share of the people of zones with a value who live at or above the cut.
CURVE = pa.schema(
    [
        ("claim_id", pa.string()),
        ("cut_quantile", pa.float64()),
        ("share_labelled", pa.float64()),
        ("k", pa.int64()),
        ("n", pa.int64()),
        ("share_k", pa.float64()),
        ("model_version", pa.string()),
    ]
)
# `kind`: contre_exemple, or indecis. `missing_share`: what the QPV lacks of the required share. `critical_cut`: highest
# cut quantile at which it would be sensitive; `distance_cut`: how much lower than the claim's that is.
CONTRE_EXEMPLES = pa.schema(
    [
        ("claim_id", pa.string()),
        ("qpv_code", pa.string()),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("population", pa.float64()),
        ("share_sensitive", pa.float64()),
        ("share_unknown", pa.float64()),
        ("missing_share", pa.float64()),
        ("critical_cut", pa.float64()),
        ("distance_cut", pa.float64()),
        ("model_version", pa.string()),
    ]
)
# `method`: apparie_revenu (estimate in index points) or logit (log-odds, and their odds_ratio); see `circularity`.
CIRCULARITE = pa.schema(
    [
        ("claim_id", pa.string()),
        ("method", pa.string()),
        ("estimate", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("odds_ratio", pa.float64()),
        ("n_zones", pa.int64()),
        ("n_communes", pa.int64()),
        ("n_excluded", pa.int64()),
        ("income_gap", pa.float64()),
        ("status", pa.string()),
        ("model_version", pa.string()),
    ]
)
# `n_zones` have a value and a neighbour with one; `n_islands` a value only. `lisa_*`: zones significant at 5 %.
MORAN = pa.schema(
    [
        ("mesh", pa.string()),
        ("index_code", pa.string()),
        ("n_zones", pa.int64()),
        ("n_islands", pa.int64()),
        ("n_without_value", pa.int64()),
        ("moran_i", pa.float64()),
        ("expected_i", pa.float64()),
        ("z", pa.float64()),
        ("p", pa.float64()),
        ("draws", pa.int64()),
        ("seed", pa.int64()),
        ("lisa_haut_haut", pa.int64()),
        ("lisa_bas_haut", pa.int64()),
        ("lisa_bas_bas", pa.int64()),
        ("lisa_haut_bas", pa.int64()),
        ("status", pa.string()),
        ("model_version", pa.string()),
    ]
)
