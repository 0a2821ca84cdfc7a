"""Standardised indices of health: observed against expected at equal ages and sexes, smoothed."""


def model(dbt, session):
    """One row per zone, edition and component, with the keys that figures have."""
    from dagster_project.models.editions import icm_by_edition

    dbt.config(materialized="table")
    return icm_by_edition(
        dbt.ref("int_sante__cas").to_arrow_table(),
        dbt.ref("int_sante__ages").to_arrow_table(),
        dbt.ref("int_sante__taux").to_arrow_table(),
    )
