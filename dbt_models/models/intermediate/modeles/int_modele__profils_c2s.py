"""Take-up of the C2S by household profile: effects, smoothed cells, standardised zones, calibration."""


def model(dbt, session):
    """Tables of the model under one another, named in `sortie`; no row without the partner's file."""
    from dagster_project.models.nonrecours.profils.model import profils
    from dagster_project.models.secrecy import masked_below, secrecy_rule
    from dagster_project.models.stacked import stack

    dbt.config(materialized="table")
    return stack(
        profils(
            dbt.ref("stg_partenaire__c2s_profils").to_arrow_table(),
            masked_below(dbt.source("derived", "catalogue").to_arrow_table(), "partenaire_c2s_profils"),
            secrecy_rule(dbt.ref("secrecy_rule").to_arrow_table(), "c2s_profil"),
        )
    )
