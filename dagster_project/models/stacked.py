"""Several tables in one: a dbt model gives one table, a statistical model gives several from one computation."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

OUTPUT = "sortie"


def stack(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Rows of every table under the union of their columns, with the name of their table in `sortie`.

    Raises:
        pyarrow.ArrowTypeError: two tables give one column two types.
    """
    named = [
        table.append_column(OUTPUT, pa.array([name] * table.num_rows, pa.string())) for name, table in tables.items()
    ]
    return pa.concat_tables(named, promote_options="default")
