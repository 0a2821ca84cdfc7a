"""Running suites on Parquet tables, with a cache: an unchanged table is not validated again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dagster_project.quality.frames import Table
from dagster_project.quality.results import ExpectationResult, cache_key, read_cache, write_cache
from dagster_project.quality.suites import Suite

__all__ = ["ExpectationResult", "MissingTableError", "run_suites"]


class MissingTableError(ValueError):
    """A suite speaks of a table that was not given; nothing was checked."""


def run_suites(
    suites: Iterable[Suite], tables: Mapping[str, Path], *, real: bool, cache_dir: Path
) -> list[ExpectationResult]:
    """Check tables against their suites.

    Args:
        suites: from `load_suites`.
        tables: Parquet file of each table that the suites name.
        real: False on the demonstration territory, where rules of scope `real` are skipped.
        cache_dir: one file per suite, replaced when the table, the suite or the code changes. When everything is in
            it, Great Expectations is not even imported.

    Returns:
        One result per expectation, suites and expectations in their own order.

    Raises:
        MissingTableError: a suite's table is not in `tables`, or its file does not exist.
    """
    suites = list(suites)
    for suite in suites:
        path = tables.get(suite.table)
        if path is None or not path.exists():
            raise MissingTableError(
                f"suite {suite.name}: no Parquet file for table {suite.table!r} ({path}); build it first"
            )
    keys = {suite.name: cache_key(suite, tables[suite.table], real=real) for suite in suites}
    found = {suite.name: read_cache(cache_dir, suite, keys[suite.name]) for suite in suites}
    stale = [suite for suite in suites if found[suite.name] is None]
    if stale:
        from dagster_project.quality.engine import Engine  # seconds: only when a table has changed

        engine = Engine()
        for suite in stale:
            with Table(suite, tables[suite.table]) as table:
                results, validation = engine.check(suite, table, real=real)
            write_cache(cache_dir, suite, keys[suite.name], results, validation)
            found[suite.name] = results
    return [result for suite in suites for result in found[suite.name] or ()]
