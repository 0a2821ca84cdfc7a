"""Non-take-up of the C2S: one computation, several tables, told apart by the column `sortie`."""


def model(dbt, session):
    """Every output of the model as one table: `estimation`, `composante`, `verrou` and `calage` rows."""
    from dagster_project.models.nonrecours.estimate import non_recours
    from dagster_project.models.secrecy import secrecy_rule
    from dagster_project.models.stacked import stack

    dbt.config(materialized="table")
    return stack(
        non_recours(
            zones=dbt.ref("int_non_recours__zones").to_arrow_table(),
            quantiles=dbt.ref("int_non_recours__quantiles").to_arrow_table(),
            mixtures=dbt.ref("int_non_recours__melanges").to_arrow_table(),
            taux=dbt.ref("int_non_recours__taux").to_arrow_table(),
            comparaisons=dbt.ref("int_non_recours__comparaisons").to_arrow_table(),
            national=dbt.ref("int_non_recours__national").to_arrow_table(),
            regles=dbt.ref("c2s_rule").to_arrow_table(),
            menages=dbt.ref("household_type").to_arrow_table(),
            secrecy=secrecy_rule(dbt.ref("secrecy_rule").to_arrow_table(), "c2s_estimation"),
        )
    )
