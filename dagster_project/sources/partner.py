"""The door: a partner's file is held to its convention before the raw table is replaced.

A count below the threshold, once written to disk, would be copied by every later step: such a file is refused whole,
and the previous table stays. Each rule names the row and the zone, in French.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.sources.absence import absence_of
from dagster_project.sources.catalogue import Convention, Dataset
from dagster_project.sources.raw_files import load_manifest
from dagster_project.sources.readers import LINEAGE_COLUMNS
from dagster_project.sources.validation import Validation
from dagster_project.sql import identifier, identifiers, literal, literals

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SHOWN = 5
_Problem = str


def validate(dataset: Dataset, table: pa.Table, raw_dir: Path) -> list[Validation]:
    """Hold the rows of one file to the convention of its dataset.

    Args:
        dataset: the catalogue entry.
        table: text columns as delivered, with `_source_row`.
        raw_dir: where the raw tables stand that hold lists of codes.

    Returns:
        One required result per rule, in the order of RULES; none for a dataset without convention.
    """
    convention = dataset.convention
    if convention is None:
        return []
    import duckdb

    with duckdb.connect() as connection:
        connection.register("delivered", table)
        _number_the_counts(connection, convention)
        door = _Door(connection, dataset, convention, raw_dir)
        return [_result(name, list(rule(door))) for name, rule in RULES.items()]


def lists_of(dataset: Dataset) -> list[str]:
    """Datasets that hold the lists of codes of its convention."""
    codes = dataset.convention.codes if dataset.convention else ()
    return sorted({name for code in codes for name in code.datasets})


def lists_version(dataset: Dataset, raw_dir: Path) -> dict[str, str | None]:
    """Data version of each raw table whose codes the convention refers to; None while it is not built."""
    lists = lists_of(dataset)
    return {name: (load_manifest(raw_dir / f"{name}.json") or {}).get("data_version") for name in lists}


def _number_the_counts(connection: duckdb.DuckDBPyConnection, convention: Convention) -> None:
    """The view `file_row`: the rows as delivered, and each count as a number where it is one."""
    numbers = "".join(
        f", case when regexp_full_match({identifier(count)}, '0|[1-9][0-9]{{0,14}}') "
        f"then {identifier(count)}::bigint end as {identifier(f'number_{count}')}"
        for count in convention.counts
    )
    connection.execute(f"create temp table file_row as select *{numbers} from delivered")


class _Door:
    """One file and the convention it is held to."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, dataset: Dataset, convention: Convention, raw_dir: Path
    ) -> None:
        self.dataset, self.convention, self.connection, self.raw_dir = dataset, convention, connection, raw_dir
        # how a message names a row: the parts of its key
        self._key = ", ".join(f"coalesce(nullif({identifier(name)}, ''), '(vide)')" for name in dataset.key)

    def failing(self, condition: str, cell: str = "''", source: str = "file_row") -> Iterator[tuple[str, str]]:
        """Address of each row that meets a condition, and the text of `cell` there."""
        rows = self.connection.execute(
            f"select _source_row, concat_ws(' / ', {self._key}), {cell} from {source} where {condition} order by 1"
        ).fetchall()
        for number, key, text in rows:
            yield f"ligne {number} ({key})", text


def _declared_columns(door: _Door) -> Iterator[_Problem]:
    """Nothing but the schema is kept: a column more may name a person or an employer."""
    declared = {column.name.lower() for column in door.dataset.columns}
    delivered = door.connection.execute("select column_name from (describe delivered)").fetchall()
    for (name,) in delivered:
        if name.lower() not in declared and name not in LINEAGE_COLUMNS:
            yield f"colonne {name} : elle n’est pas au schéma, et rien d’autre ne peut être remis"


def _allowed_values(door: _Door) -> Iterator[_Problem]:
    for name in (*door.dataset.key, *door.convention.required):
        for where, _ in door.failing(f"coalesce({identifier(name)}, '') = ''"):
            yield f"{where} : {name} est vide"
    for column in door.dataset.columns:
        cell, expected = identifier(column.name), []
        if column.values:
            listed = literals(column.values)
            expected.append((f"{cell} not in ({listed})", f"attendu : {', '.join(column.values)}"))
        if column.pattern:
            expected.append((f"not regexp_full_match({cell}, {literal(column.pattern)})", f"forme : {column.pattern}"))
        if column.minimum is not None or column.maximum is not None:
            low, high = (repr(bound) if bound is not None else None for bound in (column.minimum, column.maximum))
            number = f"try_cast({cell} as double)"
            outside = [f"{number} < {low}" if low else "", f"{number} > {high}" if high else ""]
            condition = " or ".join([f"{number} is null", f"isnan({number})", *filter(None, outside)])
            span = " ".join([*(["au moins", low] if low else []), *(["au plus", high] if high else [])])
            expected.append((f"({condition})", f"attendu : un nombre, {span}"))
        for condition, wanted in expected:
            for where, text in door.failing(f"{cell} != '' and {condition}", cell):
                yield f"{where} : {column.name} = « {text} » n’est pas permis ({wanted})"


def _threshold(door: _Door) -> Iterator[_Problem]:
    convention = door.convention
    if convention.threshold is None or convention.masked is None:
        return
    for count in convention.counts:
        cell, number = identifier(count), identifier(f"number_{count}")
        for where, text in door.failing(f"{number} between 1 and {convention.threshold - 1}", cell):
            yield (
                f"{where} : {count} = {text} ; un effectif de 1 à {convention.threshold - 1} ne peut pas être remis : "
                f"écrire « {convention.masked} »"
            )
        unreadable = f"{cell} not in ('', {literal(convention.masked)}) and {number} is null"
        for where, text in door.failing(unreadable, cell):
            yield f"{where} : {count} = « {text} » n’est ni un entier ni « {convention.masked} »"


def _denominator(door: _Door) -> Iterator[_Problem]:
    convention = door.convention
    if convention.denominator is None or convention.masked is None:
        return
    whole, whole_cell = identifier(f"number_{convention.denominator}"), identifier(convention.denominator)
    for count in convention.numerators:
        part = identifier(f"number_{count}")
        shown = f"{identifier(count)} || ' > ' || {whole_cell}"
        hidden = f"{whole_cell} = {literal(convention.masked)} and {part} >= {convention.threshold}"
        of_none = f"{whole} = 0 and {identifier(count)} = {literal(convention.masked)}"
        for where, text in door.failing(f"{part} > {whole} or ({hidden}) or ({of_none})", shown):
            yield f"{where} : {count} dépasse {convention.denominator} ({text})"


def _known_codes(door: _Door) -> Iterator[_Problem]:
    for code in door.convention.codes:
        paths = {name: door.raw_dir / f"{name}.parquet" for name in code.datasets}
        if unbuilt := [name for name, path in paths.items() if not path.exists()]:
            yield f"la liste des codes ({unbuilt[0]}) n’est pas construite : la construire, puis relancer"
            continue
        if all(absence_of(path) for path in paths.values()):
            yield f"la liste des codes ({_listed(code.datasets)}) est absente : la recevoir, puis relancer"
            continue
        column = f"trim({identifier(code.dataset_column)})"
        lists = " union all ".join(f"select {column} from read_parquet({literal(str(p))})" for p in paths.values())
        known = f"({lists})"
        cell, concerned = identifier(code.column), _where(code.where)
        zero = f"case when '0' || {cell} in {known} then ' : le zéro de tête du code est perdu' else '' end"
        stranger = f"{concerned} and {cell} != '' and {cell} not in {known}"
        for where, text in door.failing(stranger, f"{cell} || '»' || {zero}"):
            unknown, _, hint = text.partition("»")
            yield f"{where} : {code.column} = « {unknown} » est inconnu de {_listed(code.datasets)}{hint}"


def _shapes(door: _Door) -> Iterator[_Problem]:
    for group in door.convention.together:
        empty = " + ".join(f"(coalesce({identifier(name)}, '') = '')::int" for name in group)
        for where, _ in door.failing(f"{empty} not in (0, {len(group)})"):
            yield f"{where} : {' et '.join(group)} sont à remplir ensemble, ou à laisser vides"
    earlier = ["false"]
    for shape in door.convention.shapes:
        concerned = f"{_where(shape.where)} and not ({' or '.join(earlier)})"
        earlier.append(f"({_where(shape.where)})")
        for count in door.convention.counts:
            wanted = count in shape.filled
            condition = f"{concerned} and (coalesce({identifier(count)}, '') = '') = {str(wanted).lower()}"
            for where, _ in door.failing(condition):
                yield f"{where} : {count} doit être {'rempli' if wanted else 'vide'} ({shape.meaning})"


def _unique_key(door: _Door) -> Iterator[_Problem]:
    key = identifiers(door.dataset.key)
    repeated = f"(select *, row_number() over (partition by {key} order by _source_row) as rank from file_row)"
    for where, _ in door.failing("rank > 1", source=repeated):
        yield f"{where} : cette ligne répète la clé d’une ligne précédente"


RULES: dict[str, Callable[[_Door], Iterator[_Problem]]] = {
    "colonnes_prevues": _declared_columns,
    "valeurs_permises": _allowed_values,
    "seuil_effectifs": _threshold,
    "numerateurs": _denominator,
    "codes_connus": _known_codes,
    "forme_des_lignes": _shapes,
    "cle_unique": _unique_key,
}


def _result(name: str, problems: list[_Problem]) -> Validation:
    if not problems:
        return Validation(name, True, True, "Conforme à la convention.")
    more = f" ; et {len(problems) - _SHOWN} autre(s)" if len(problems) > _SHOWN else ""
    message = (
        f"{' ; '.join(problems[:_SHOWN])}{more}. Corriger le fichier avec le partenaire, puis le déposer de nouveau."
    )
    return Validation(name, False, True, message, {"lignes_en_cause": len(problems)})


def _where(conditions: dict[str, str]) -> str:
    return " and ".join(f"{identifier(column)} = {literal(value)}" for column, value in conditions.items()) or "true"


def _listed(datasets: tuple[str, ...]) -> str:
    return " ou ".join(datasets)
