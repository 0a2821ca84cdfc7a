"""Why a cell of a release may be empty: one registry of reasons, for every format.

What each label means, in French and in SDMX codes, is the seed `absence`; which label an empty cell takes is here.
CSV and JSON write the label in the cell. Parquet keeps the null: the label is in the column `<column>_statut` beside
it, or follows from the row by the expression that `datapackage.json` repeats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Statuses of a figure that has no value; the others, `ok` and `estime`, have one.
ABSENT_FIGURE = (
    "secret_primaire",
    "secret_secondaire",
    "nd",
    "non_couvert",
    "convention",
    "intervalle_large",
    "retenu",
)
PRESENT_FIGURE = ("ok", "estime")
COMPANION_SUFFIX = "_statut"


@dataclass(frozen=True)
class Reason:
    """Why cells of some columns may be empty.

    Attributes:
        columns: columns concerned.
        label: SQL over the row that gives the label of an empty cell.
        labels: every label that this may give.
        companion: whether Parquet carries the label in a column of its own.
    """

    columns: tuple[str, ...]
    label: str
    labels: tuple[str, ...]
    companion: bool = False


def _by_status(status: str, *columns: str) -> Reason:
    """Cells that a status of their row explains; where it is ok, the column does not apply."""
    label = f"case when {status} in {ABSENT_FIGURE} then {status} else 'sans_objet' end"
    return Reason(columns, label, (*ABSENT_FIGURE, "sans_objet"))


def _always(label: str, *columns: str) -> Reason:
    return Reason(columns, f"'{label}'", (label,))


_OF_THE_FIGURE = "case when status in ('ok', 'estime') then 'sans_objet' else status end"
_ZONE_ABOVE = (
    "case when zone_level = 'QPV' then 'inconnu' when zone_level in ('COM', 'IRIS') then 'non_rattache' "
    "else 'sans_objet' end"
)
_OF_AN_INDEX = ("value", "ci_low", "ci_high", "rank_median", "rank_low", "rank_high")
_NO_ROW = "case when source_row is null then 'non_couvert' else 'vide' end"

REASONS: dict[str, tuple[Reason, ...]] = {
    "indicator_value": (
        Reason(("value",), "status", ABSENT_FIGURE),
        Reason(
            ("numerator", "denominator", "ci_low", "ci_high", "n_effective", "coverage"),
            _OF_THE_FIGURE,
            (*ABSENT_FIGURE, "sans_objet"),
        ),
        _always("sans_precedent", "comparable_with_previous"),
        _always("sans_objet", "interval_basis", "model", "model_version", "model_parameters"),
    ),
    "mart_comparaison": (
        Reason(("value",), "status", ABSENT_FIGURE),
        Reason(("comparison_value",), "comparison_status", ABSENT_FIGURE),
        Reason(
            ("difference",),
            "case when status in ('ok', 'estime') then comparison_status else status end",
            ABSENT_FIGURE,
        ),
    ),
    "dim_zone": (
        Reason(
            ("communes", "epci", "departement", "region"),
            _ZONE_ABOVE,
            ("inconnu", "non_rattache", "sans_objet"),
            companion=True,
        ),
        Reason(("population",), "'non_publie'", ("non_publie",), companion=True),
        Reason(("geometry",), "'sans_contour'", ("sans_contour",), companion=True),
        # Totals (all QPV, France) and what QPV leave of communes and urban units stand in no list of zones.
        _always(
            "sans_objet",
            *("source_dataset", "source_sha256", "source_member", "source_row", "source_column", "zone_key"),
        ),
    ),
    "lineage": (
        _always("sans_objet", "term", "variable", "weight", "source_member", "correction_id"),
        _always("non_couvert", "source_row"),
        Reason(("raw_value",), _NO_ROW, ("non_couvert", "vide")),
    ),
    "crosswalk": (
        # Buildings count as one each; of an IRIS without a published population, nothing is said.
        Reason(
            ("population",),
            "case when from_level = 'LOGEMENT' then 'sans_objet' else 'non_publie' end",
            ("sans_objet", "non_publie"),
        ),
        _always("sans_objet", "area_share", "jaccard", "comparable"),
        # Between two generations of QPV, the official correspondence may be missing, or silent.
        Reason(
            ("statut",),
            "case when from_level = 'QPV' then 'non_couvert' else 'sans_objet' end",
            ("non_couvert", "sans_objet"),
        ),
    ),
    # Rates have no total; a class may be too small for an error of each zone measured without it.
    "mart_erreur_report": (_always("sans_objet", "published_total", "estimated_total", "leave_one_out"),),
    "mart_affirmation": (
        _by_status(
            "status",
            *("n_qpv", "n", "k", "n_undecided", "share_k", "low_two_sided", "high_two_sided", "low_one_sided"),
            *("counter_examples", "cut_value", "part_one_verdict", "n_zones", "n_sensitive"),
            *("n_sensitive_without_qpv", "n_sensitive_not_qpv", "ppv_zones", "ppv_population"),
            *("share_population_sensitive", "share_qpv_population_sensitive", "kappa", "mcc", "auc"),
            *("smallest_share", "smallest_cut", "null_p", "null_k_median", "null_k_low", "null_k_high"),
            *("null_widened", "null_fixed"),
        ),
    ),
    "mart_affirmation_circularite": (
        _by_status(
            "status",
            *("estimate", "ci_low", "ci_high", "odds_ratio", "n_zones", "n_communes", "n_excluded", "income_gap"),
        ),
    ),
    "mart_affirmation_contre_exemple": (
        _always(
            "sans_objet",
            "population",
            "share_sensitive",
            "share_unknown",
            "missing_share",
            "critical_cut",
            "distance_cut",
        ),
    ),
    "mart_affirmation_courbe": (_always("sans_objet", "share_labelled", "share_k"),),
    "mart_affirmation_moran": (
        _by_status(
            "status",
            *("n_zones", "n_islands", "n_without_value", "moran_i", "expected_i", "z", "p", "draws", "seed"),
            *("lisa_haut_haut", "lisa_bas_haut", "lisa_bas_bas", "lisa_haut_bas"),
        ),
    ),
    "mart_indice_variante": (_always("sans_objet", "rank"),),
    # A post withdrawn from the nomenclature since the offer was written has no label there.
    "mart_offres_carte": (_always("non_publie", "libelle_rome"),),
    "mart_emploi_histogramme": (_by_status("status", "postes"),),
    "mart_non_recours_detail": (
        _by_status("status", "value", "ci_low", "ci_high", "value_c1_spline", "value_c1_gb2", "value_c2"),
        _always("sans_objet", "classe", "income_year", "motif"),
    ),
    "mart_non_recours_verrou": (
        _always("non_publie", "valeur"),
        _always("sans_objet", "unite", "citation", "conforme"),
    ),
    "mart_reseau": (_always("sans_objet", "problem_count", "problem_fr"),),
    "mart_modele_parametre": (
        _by_status(
            "status",
            *("mean", "sd", "low_bound", "high_bound", "skewness", "kurtosis", "winsorised_zones", "reference_zones"),
            *("zones_without_error", "pca_weight", "squared_correlation", "effective_weight", "sobol_first_order"),
            "cut",
        ),
    ),
    "mart_non_recours_profil": (
        _by_status("status", "n_eligibles", "n_beneficiaires", "non_recours"),
        # Shown, but the model could not be fitted.
        Reason(
            ("non_recours_lisse", "ci_low", "ci_high"),
            "case when status = 'ok' then 'nd' else status end",
            ("nd", "secret_primaire", "secret_secondaire"),
        ),
        _always("sans_objet", "motif"),
    ),
    "mart_non_recours_profil_calibration": (
        _by_status(
            "status",
            *("n_cells", "n_eligibles", "expected", "observed", "pente", "ordonnee", "brier", "brier_reference"),
            *("hosmer_lemeshow", "hosmer_lemeshow_ddl", "hosmer_lemeshow_p", "dispersion", "zone_sd"),
        ),
        _always("sans_objet", "motif"),
    ),
    "mart_non_recours_profil_effet": (
        _by_status("status", "coefficient", "odds_ratio", "ci_low", "ci_high"),
        _always("sans_objet", "reference", "motif"),
    ),
    "mart_non_recours_profil_zone": (
        _by_status("status", "non_recours_standardise", "ci_low", "ci_high", "odds_ratio"),
        _always("sans_objet", "motif"),
    ),
    "mart_vulnerabilite": (
        *(_by_status(f"{index}_status", *(f"{index}_{name}" for name in _OF_AN_INDEX)) for index in ("socio", "sante")),
        _by_status(
            "class_status",
            *("class", "p_double_fragilite", "p_fragilite_sanitaire", "p_fragilite_sociale", "p_non_fragile"),
            *("distance_sante", "distance_socio", "stable", "partial"),
        ),
        # Zones that are in no typology.
        _always("sans_objet", "socio_status", "sante_status", "class_status"),
    ),
    "c2s_rule": (_always("sans_objet", "rank"),),
    "claim": (_always("sans_objet", "note_fr"),),
    "downscaling_benchmark": (
        _always("sans_objet", "base_variable", "denominator_variable", "published_denominator", "note_fr"),
    ),
    "downscaling_family": (_always("sans_objet", "family", "variable_code"),),
    "indicator_term": (_always("sans_objet", "from_level", "base_variable"),),
    "source_presence": (_always("sans_objet", "status", "reason_fr"),),
    "indicator": (_always("sans_objet", "numerator", "denominator", "minimum", "maximum"),),
    "note_status": (_always("sans_objet", "note_code"),),
    "secrecy_rule": (_always("sans_objet", "least_count"),),
    "variable_column": (_always("sans_objet", "note_column"),),
    "source_file": (_always("sans_objet", "url", "encoding", "delimiter", "header_row"),),
    "corrections": (_always("sans_objet", "zone_code", "corrected_value", "width"),),
    "checks": (
        _always("sans_objet", "file"),
        _always("non_evalue", "passed", "observed"),
    ),
}


def reason_for(table: str, column: str, indicator: str | None) -> Reason | None:
    """Why cells of this column may be empty; None when none may be.

    Args:
        table: name of the table in the release.
        column: name of the column.
        indicator: code of the indicator that a wide mart's column holds, if it does.
    """
    if indicator:
        labels = (*ABSENT_FIGURE, "non_publie")
        return Reason((column,), quoted(column + COMPANION_SUFFIX), labels, companion=True)
    return next((reason for reason in REASONS.get(table, ()) if column in reason.columns), None)


def quoted(identifier: str) -> str:
    """An SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """A list of SQL text literals, for `in (…)`."""
    return ", ".join(map(literal, texts))
