"""Vulnerability indices: one computation, several tables, told apart by the column `sortie`."""


def model(dbt, session):
    """Every output of the model as one table: `indice`, `typologie` and `parametre` rows."""
    from dagster_project.models.stacked import stack
    from dagster_project.models.vulnerabilite import indices

    dbt.config(materialized="table")
    return stack(indices(dbt.ref("int_sante__composantes").to_arrow_table()))
