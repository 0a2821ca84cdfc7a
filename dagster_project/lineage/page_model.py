"""What the lineage page says, as data: tables, their columns, and where these come from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dagster_project.lineage.column_origins import ROWS, Column, Condition, Relation, Table
from dagster_project.lineage.graph import ColumnGraph
from dagster_project.sources.catalogue import Dataset

CLAUSES = {
    "model": "lue par le modèle statistique",
    "from": "lignes lues",
    "join": "jointure",
    "semi join": "lignes gardées si elles existent dans",
    "anti join": "lignes écartées si elles existent dans",
    "where": "filtre",
    "group by": "regroupement",
    "having": "filtre sur les groupes",
    "qualify": "choix d’une ligne par groupe",
    "window": "fenêtre",
    "filter": "filtre d’agrégat",
    "order by": "ordre",
    "limit": "nombre de lignes",
    "distinct": "suppression des doublons",
    "union": "réunion sans doublons",
    "except": "différence",
    "intersect": "intersection",
    "unnest": "liste dépliée en lignes",
    "unpivot": "colonnes passées en lignes",
    "count(*)": "décompte des lignes",
}
FACTS = {"unit": "Unité", "formula": "Formule"}
NOTHING = "—"
# A value that descends from more columns than this is not told as the use of each of them.
MANY = 40


@dataclass(frozen=True)
class Group:
    """Columns of one table, side by side."""

    table: str
    title: str
    producer: str
    columns: list[str]


@dataclass(frozen=True)
class Reading:
    """Columns of one table that a clause reads."""

    clause: str
    table: str
    columns: list[str]


@dataclass(frozen=True)
class ColumnView:
    """One column: what it means, where it comes from, the SQL that makes it."""

    name: str
    kind: str
    description: str
    facts: list[tuple[str, str]]
    values: list[Group]
    constants: list[str]
    direct: list[Group]
    own: list[Reading]
    sql: str

    @property
    def n_values(self) -> int:
        return sum(len(group.columns) for group in self.values)


@dataclass(frozen=True)
class TableView:
    """One table. `siblings` are written by the same macro and differ by their sources alone."""

    schema: str
    name: str
    description: str
    siblings: list[str]
    conditions: list[Reading]
    reached: list[Group]
    columns: list[ColumnView]

    @property
    def key(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Use:
    """A column of a producer, and the published columns whose value it enters."""

    column: str
    meaning: str
    used_by: list[str]


@dataclass(frozen=True)
class SourceView:
    """One dataset, and what becomes of its columns."""

    dataset: str
    title: str
    producer: str
    uses: list[Use]


@dataclass(frozen=True)
class LineagePage:
    """The whole page."""

    fictitious: bool
    marts: list[TableView]
    steps: list[TableView]
    sources: list[SourceView]

    @property
    def places(self) -> dict[str, str]:
        """Where each table is told: under its own name, or under that of the table it has its code in common with."""
        tables = [*self.marts, *self.steps]
        return {f"{table.schema}.{name}": table.key for table in tables for name in [table.name, *table.siblings]}

    @property
    def described(self) -> set[str]:
        """Raw tables that have a section: those whose values are told column by column."""
        return {f"raw.{source.dataset}" for source in self.sources}

    @property
    def n_columns(self) -> int:
        return sum(len(table.columns) for table in self.marts)

    @property
    def n_used(self) -> int:
        return sum(len(source.uses) for source in self.sources)


class PageBuilder:
    """Turns a graph into a page.

    Args:
        graph: relations of every table that is made.
        sql: SQL of each column of an intermediate model or mart.
        manifest: dbt's, for descriptions and contracts.
        datasets: the catalogue.
    """

    def __init__(
        self,
        graph: ColumnGraph,
        sql: Mapping[Column, str],
        manifest: Mapping[str, Any],
        datasets: Mapping[str, Dataset],
    ) -> None:
        self._graph, self._sql, self._datasets = graph, sql, datasets
        self._nodes = {
            (node["schema"], node["name"]): node
            for node in manifest["nodes"].values()
            if node["resource_type"] in {"model", "seed"}
        }

    def page(self, *, fictitious: bool) -> LineagePage:
        families = self._families("intermediate")
        marts = [self._table(table, []) for table in sorted(self._graph.relations) if table[0] == "marts"]
        steps = [self._table(first, others) for first, *others in families]
        return LineagePage(fictitious, marts, steps, self._sources(marts))

    def _families(self, schema: str) -> list[list[Table]]:
        """Models of a layer, those that one macro writes for several sources together."""
        families: dict[str, list[Table]] = {}
        for table in sorted(self._graph.relations):
            if table[0] == schema:
                code = self._nodes[table].get("raw_code") or ""
                families.setdefault(re.sub(r"'[^']*'", "''", code), []).append(table)
        return list(families.values())

    def _table(self, table: Table, siblings: list[Table]) -> TableView:
        relation, node = self._graph.relations[table], self._nodes[table]
        contract = {name.lower(): column for name, column in node["columns"].items()}
        order = {name: position for position, name in enumerate(contract)}
        names = sorted(relation.names, key=lambda name: order.get(name.lower(), len(order)))
        return TableView(
            schema=table[0],
            name=table[1],
            description=node["description"],
            siblings=[name for _, name in siblings],
            conditions=_readings(relation.rows),
            reached=self._groups(self._graph.reach((*table, ROWS)).conditions),
            columns=[self._column(table, name, relation, contract.get(name.lower(), {})) for name in names],
        )

    def _column(self, table: Table, name: str, relation: Relation, contract: Mapping[str, Any]) -> ColumnView:
        reach, origin = self._graph.reach((*table, name)), relation.origin(name)
        assert origin is not None  # noqa: S101 (the name is one of the relation's)
        meta = contract.get("config", {}).get("meta", {})
        return ColumnView(
            name=name,
            kind=contract.get("data_type") or "",
            description=contract.get("description", ""),
            facts=[(label, meta[key]) for key, label in FACTS.items() if meta.get(key, NOTHING) != NOTHING],
            values=self._groups(reach.values),
            constants=sorted(reach.constants),
            direct=self._groups(origin.values),
            own=_readings(origin.conditions),
            sql=self._sql.get((*table, name), ""),
        )

    def _groups(self, columns: Iterable[Column]) -> list[Group]:
        """Columns by table: raw tables bear the name of their dataset, and its producer's."""
        by_table: dict[Table, list[str]] = {}
        for schema, table, name in sorted(columns):
            by_table.setdefault((schema, table), []).append(name)
        return [self._group(table, names) for table, names in by_table.items()]

    def _group(self, table: Table, names: list[str]) -> Group:
        schema, name = table
        shown = ["(lignes)" if column == ROWS else column for column in names]
        dataset = self._datasets.get(name) if schema == "raw" else None
        if dataset is not None:
            return Group(f"raw.{name}", dataset.origin.title, dataset.origin.producer, shown)
        return Group(f"{schema}.{name}", "table de référence" if schema == "reference" else "", "", shown)

    def _sources(self, marts: Collection[TableView]) -> list[SourceView]:
        used: dict[tuple[str, str], list[str]] = {}
        for table in marts:
            for column in table.columns:
                for group in column.values if column.n_values <= MANY else ():
                    for name in group.columns:
                        used.setdefault((group.table, name), []).append(f"{table.name}.{column.name}")
        views = []
        for identifier, dataset in self._datasets.items():
            meanings = {column.name: column.meaning for column in dataset.columns}
            names = sorted(name for table, name in used if table == f"raw.{identifier}")
            uses = [Use(name, meanings.get(name, ""), used[(f"raw.{identifier}", name)]) for name in names]
            if uses:
                views.append(SourceView(identifier, dataset.origin.title, dataset.origin.producer, uses))
        return views


def _readings(conditions: Iterable[Condition]) -> list[Reading]:
    read: dict[tuple[str, str], list[str]] = {}
    for (schema, table, name), clause in sorted(conditions, key=lambda edge: (edge[1], edge[0])):
        read.setdefault((clause, f"{schema}.{table}"), []).append("(lignes)" if name == ROWS else name)
    return [Reading(CLAUSES[clause], table, names) for (clause, table), names in read.items()]
