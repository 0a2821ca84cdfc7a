"""Verdicts of the claims: one computation, several tables, told apart by the column `sortie`."""


def model(dbt, session):
    """Every output of the claim tests as one table: verdicts, curves, counter-examples, Moran, circularity."""
    from dagster_project.models.claim_test import judge
    from dagster_project.models.stacked import stack

    dbt.config(materialized="table")
    tables = {
        "claims": dbt.ref("claim"),
        "zones": dbt.ref("int_claim__zones"),
        "shares": dbt.ref("int_claim__parts"),
        "neighbours": dbt.source("derived", "neighbours"),
        "qpv": dbt.ref("int_claim__qpv"),
        "income": dbt.ref("int_claim__revenus"),
    }
    return stack(judge(**{name: relation.to_arrow_table() for name, relation in tables.items()}))
