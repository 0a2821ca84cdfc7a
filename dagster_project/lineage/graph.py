"""From any column to the producers' columns, through every model between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dagster_project.lineage.column_origins import ROWS, Column, Relation, Table


@dataclass(frozen=True, slots=True)
class Reach:
    """All that a column descends from, at the far end: columns of raw and reference tables, and constants.

    Attributes:
        values: columns that its value is computed from.
        conditions: columns that decide whether the row is there, or which value is taken.
        constants: SQL text of literals.
    """

    values: frozenset[Column] = frozenset()
    conditions: frozenset[Column] = frozenset()
    constants: frozenset[str] = frozenset()

    def __or__(self, other: Reach) -> Reach:
        return Reach(self.values | other.values, self.conditions | other.conditions, self.constants | other.constants)

    @property
    def as_condition(self) -> Reach:
        return Reach(conditions=self.values | self.conditions)


class ColumnGraph:
    """The models of a project, and what their columns reach.

    Args:
        relations: origins of the columns of every table that is made; a table that is not there is a source.
        narrowed: of a column that holds one indicator, the only source columns its formula reads: the SQL, which takes
            one row in many by the indicator's code, would let it descend from those of every indicator.
    """

    def __init__(self, relations: Mapping[Table, Relation], narrowed: Mapping[Column, frozenset[Column]]) -> None:
        self.relations = relations
        self.narrowed = narrowed
        self._known: dict[Column, Reach] = {}

    def reach(self, column: Column) -> Reach:
        """What a column descends from, but for the conditions that hold for all columns of its table.

        The column `*` gives these: `reach((schema, table, "*"))`.
        """
        if column not in self._known:
            self._known[column] = self._reach(column)
        return self._known[column]

    def _reach(self, column: Column) -> Reach:
        schema, table, name = column
        relation = self.relations.get((schema, table))
        if relation is None:
            found = frozenset({column})
            return Reach(conditions=found) if name == ROWS else Reach(values=found)
        reached = Reach()
        if name == ROWS:
            for upstream, _ in relation.rows:
                reached |= self.reach(upstream).as_condition
            return reached
        origin = relation.origin(name)
        if origin is None:
            raise KeyError(f"{schema}.{table} has no column {name}")
        for upstream in origin.values:
            reached |= self.reach(upstream)
        for upstream, _ in origin.conditions:
            reached |= self.reach(upstream).as_condition
        if column in self.narrowed:
            only = self.narrowed[column]
            kept = frozenset(source for source in reached.values if source[0] != "raw" or source in only)
            reached = Reach(kept, reached.conditions, reached.constants)
        return reached | Reach(constants=origin.constants)
