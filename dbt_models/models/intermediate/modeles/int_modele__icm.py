"""Standardised indices of health: observed against expected at equal ages and sexes, smoothed."""


def model(dbt, session):
    """One row per zone, edition and component, with the keys that figures have."""
    from dagster_project.models.editions import icm_by_edition
    from dagster_project.models.secrecy import masked_below

    dbt.config(materialized="table")
    return icm_by_edition(
        dbt.ref("int_sante__cas").to_arrow_table(),
        dbt.ref("int_sante__ages").to_arrow_table(),
        dbt.ref("int_sante__taux").to_arrow_table(),
        masked_below(dbt.source("derived", "catalogue").to_arrow_table(), "ors_sante_iris"),
    )
