"""How to break each expectation: the SQL that turns a sound table into one that the expectation must refuse.

A rule on a source column is broken according to its type; a rule on a derived column says itself how (`broken_by`).
"""

from __future__ import annotations

from dagster_project.quality.suites import Expectation, Suite

# Rules of scope `real` fail on the demonstration territory as it is; these make them pass there.
_FRANCE = {
    "insee_filosofi_metropole/population-de-la-metropole": (
        "update t set NBPERS18 = '62464556' where _vintage = '2018'; "
        "update t set NBPERS19 = '62973019' where _vintage = '2019'"
    ),
    "insee_populations_communes/population-de-la-france": (
        "update t set \"PMUN\" = '67408052' where _source_row = (select min(_source_row) from t); "
        "update t set \"PMUN\" = '0' where _source_row > (select min(_source_row) from t)"
    ),
    "insee_filosofi_qpv/quartiers-de-l-ouest-presents": "CODGEO",
    "insee_cog_communes/communes-de-l-ouest-presentes": "COM",
}


def breaking_sql(suite: Suite, rule: Expectation) -> str | None:
    """SQL on a table `t` that holds the sound rows; None when nobody said how to break this rule."""
    if rule.scope == "real":
        return "select 1"  # the demonstration territory is already without Rennes, Nantes and Brest
    if rule.broken_by:
        return rule.broken_by
    if any(column in suite.derive for column in rule.columns) or suite.query:
        return None
    if rule.type == "expect_compound_columns_to_be_unique":
        return "insert into t select * from t"
    empty = "" if rule.type == "expect_column_values_to_not_be_null" else "§\ufffd"
    return f"update t set \"{rule.columns[0]}\" = '{empty}'"


def sound_sql(suite: Suite, rule: Expectation) -> str:
    """SQL that makes the demonstration table satisfy the rule: nothing to do, but for rules of scope `real`."""
    if rule.scope != "real":
        return "select 1"
    column = _FRANCE.get(f"{suite.name}/{rule.id}", rule.columns[0])
    if " " in column:
        return column
    values = ", ".join(f"('{value}')" for value in rule.kwargs["value_set"])
    first = "(from t limit 1) as first"
    return f'insert into t select first.* replace (v as "{column}") from {first}, (values {values}) as x(v)'
