"""Figures of a release on the demonstration territory, beside the true values from which its files were made."""

from __future__ import annotations

import duckdb

from dagster_project.settings import PROJECT_ROOT
from tests.graph_runs import Home

# Half of the last digit that producers print, by unit: what rounding alone may change. Counts are exact.
_HALF_DIGIT = """
    case
        when dataset = 'anct_analyse_qpv' and unit = '%' then 0.5 -- whole percentages
        when zone_level = 'ENSQPV' and unit in ('personnes', 'foyers', 'enfants') then 50 -- totals in hundreds
        when unit in ('%', 'ratio') then 0.05
        when unit = 'indice' then 0.0005
        when unit = '€/UC/an' then 5
        else 0
    end
"""
_CELL = """
    select
        true_value.dataset,
        true_value.edition as vintage,
        if(true_value.zone_level = 'ENSEMBLE', 'ENSQPV', true_value.zone_level) as zone_level,
        if(true_value.zone_level = 'FRM', 'FRM', upper(true_value.zone_code)) as zone_code,
        coalesce(true_value.generation, 'COG') as generation,
        mapping.variable,
        true_value.value::double as truth,
        true_value.masked = '1' as masked
    from read_csv('{truth}', all_varchar = true) as true_value
    inner join read_csv('{mapping}', all_varchar = true) as mapping
        on
            true_value.dataset = mapping.dataset
            and true_value.variable = mapping.source_column
            and mapping.vintage in ('*', true_value.edition)
"""
_PUBLISHED = f"""
    select cell.*, indicator_code, figure.value, figure.status, {_HALF_DIGIT} as half_digit
    from cell
    inner join term on cell.variable = term.variable and term.role = 'value'
    inner join indicator using (indicator_code)
    left join figure using (indicator_code, zone_level, zone_code, generation, vintage)
"""
# A ratio is computed where no published rate stands instead, and its counts are in the file.
_RATIO = """
    select truth.*, figure.value, figure.status
    from (
        select
            indicator_code, zone_level, zone_code, generation, vintage,
            any_value(scale)
            * sum(coefficient * truth) filter (where role = 'numerator')
            / sum(coefficient * truth) filter (where role = 'denominator') as truth,
            bool_or(masked) as masked,
            if(any_value(unit) = 'ratio', 0.005, 0) as half_digit -- deciles are printed in tens of euros
        from cell
        inner join term using (variable)
        inner join indicator using (indicator_code)
        where role != 'value'
        group by all
        having count(*) = any_value(terms)
    ) as truth
    anti join published using (indicator_code, zone_level, zone_code, generation, vintage)
    left join figure using (indicator_code, zone_level, zone_code, generation, vintage)
    where zone_level = 'QPV'
"""


def beside_truth(home: Home) -> duckdb.DuckDBPyConnection:
    """A connection with two tables, one row per figure that the truth allows to judge.

    `published`: indicators that producers publish as they are; `ratio`: those of QPV computed from published cells.
    In both, `truth`, `masked` (by secrecy or not diffused) and `half_digit` (what rounding may change) come from the
    demonstration; `value` and `status` are the release's, null when it has no such figure.
    """
    db = duckdb.connect()
    for name in ("indicator", "indicator_value"):
        db.execute(f"create view {name} as from read_parquet('{home.release}/{name}.parquet')")
    db.execute("create view figure as select * exclude (dataset, unit) from indicator_value")
    db.execute(f"""
        create view term as
        select *, count(*) over (partition by indicator_code, role = 'value') as terms
        from read_parquet('{home.release}/indicator_term.parquet')
    """)
    truth, mapping = home.demo / "_verite" / "valeurs.csv", PROJECT_ROOT / "seeds" / "variable_column.csv"
    db.execute(f"create table cell as {_CELL.format(truth=truth, mapping=mapping)}")
    db.execute(f"create table published as {_PUBLISHED}")
    db.execute(f"create table ratio as {_RATIO}")
    return db
