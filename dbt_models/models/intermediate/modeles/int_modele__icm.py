"""Standardised indices of health: observed against expected at equal ages and sexes, smoothed."""


def model(dbt, session):  # noqa: ARG001 (the signature is dbt's)
    """One row per zone, edition and component, with the keys that figures have."""
    from dagster_project.models.standardisation import icm_by_edition

    dbt.config(materialized="table")
    tables = (dbt.ref(name).to_arrow_table() for name in ("int_sante__cas", "int_sante__ages", "int_sante__taux"))
    return icm_by_edition(*tables)
