"""What a column is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

# A relation is a schema and a table; a column is that and its name.
Table = tuple[str, str]
Column = tuple[str, str, str]
# Columns of each relation: {(schema, table): {column: type}}.
Schemas = Mapping[Table, Mapping[str, str]]
# A column that decides of rows, and the clause that reads it.
Condition = tuple[Column, str]
# In the place of a column: the rows of the relation, whatever they hold. Upstream it says that rows are counted or
# multiplied; downstream, that the edge holds for every column of the relation.
ROWS = "*"


class LineageError(ValueError):
    """A query whose columns cannot be followed; the message says which part."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one output column comes from.

    Attributes:
        values: columns that its expression reads.
        conditions: columns that decide its value without being in it, for this column alone: windows, filters.
        constants: SQL text of the literals it is, where it is one in some branch.
    """

    values: frozenset[Column] = frozenset()
    conditions: frozenset[Condition] = frozenset()
    constants: frozenset[str] = frozenset()

    def __or__(self, other: Origin) -> Origin:
        return Origin(self.values | other.values, self.conditions | other.conditions, self.constants | other.constants)

    def as_conditions(self, clause: str) -> frozenset[Condition]:
        """Everything it reads, read by a clause that decides of rows."""
        return self.conditions | {(column, clause) for column in self.values}


NOWHERE = Origin()


def gathered(origins: Iterable[Origin]) -> Origin:
    return reduce(Origin.__or__, origins, NOWHERE)


@dataclass(frozen=True, slots=True)
class Relation:
    """Columns of a query or table, in order, and the conditions that hold for all of them.

    `otherwise` answers for columns that nobody declared: those of a table function.
    """

    columns: tuple[tuple[str, Origin], ...] = ()
    rows: frozenset[Condition] = frozenset()
    otherwise: Origin | None = None

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.columns]

    def origin(self, name: str) -> Origin | None:
        """Origin of a column, case being ignored as DuckDB does; None when there is no such column."""
        found = [origin for known, origin in self.columns if known.lower() == name.lower()]
        return gathered(found) if found else self.otherwise

    def all_columns(self) -> Origin:
        return gathered(origin for _, origin in self.columns)

    def renamed(self, names: Iterable[str]) -> Relation:
        """The same columns under the first names given, as in `q(a, b)`."""
        given = list(names)
        rest = self.names[len(given) :]
        pairs = zip([*given, *rest], (origin for _, origin in self.columns), strict=False)
        return Relation(tuple(pairs), self.rows, self.otherwise)
