"""What surrounds a figure: the models it went through, the checks that covered it, its series, the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dagster_project.audit.explain.figure import Figure
from dagster_project.audit.explain.model import Break, CheckInfo, ModelInfo, RunInfo
from dagster_project.audit.release_folder import Record, ReleaseFolder, records
from dagster_project.identity.lock import LOCK_NAME

if TYPE_CHECKING:
    import duckdb

LAST_MODELS = ("indicator_value", "figure_input", "zone_input")
# Intermediate models that exist once per theme.
PER_THEME = ("int_termes__", "int_indicateurs__", "mart_")
PER_DATASET = "obs_"
# Models that only figures made of other units go through: by the names of today, and by those of
# releases made before the word was one (`_reportes`, `int_report__`).
CROSSED, BRIDGES = ("_crosswalk", "_reportes"), ("crosswalk", "int_crosswalk__", "int_report__")


def models_of(release: ReleaseFolder, figure: Figure) -> tuple[tuple[ModelInfo, ...], str | None]:
    """Models between the figure's source files and the figure, sources first; a note when the release has none."""
    known = _known_models(release.json("models.json"))
    if not known:
        return (), "Cette version ne contient pas models.json : les requêtes exécutées n’y sont pas."
    sources = {entry.cell["dataset"] for entry in figure.inputs}
    theme = figure.indicator["theme"]
    themes = {theme + ending for ending in CROSSED} if figure.crossed else {theme}
    others = () if figure.crossed else BRIDGES
    chain: list[str] = []
    for last in LAST_MODELS:
        _walk(last, known, sources, themes, others, chain)
    return tuple(known[name] for name in chain), None


def _known_models(content: Any) -> dict[str, ModelInfo]:
    """Models by name, from a mapping by name or a list of named ones."""
    entries = content.items() if isinstance(content, dict) else ((entry["name"], entry) for entry in content or [])
    return {name: _model(name, entry) for name, entry in entries}


def _model(name: str, entry: Mapping[str, Any]) -> ModelInfo:
    return ModelInfo(
        name=name,
        schema_name=entry.get("schema"),
        description=entry.get("description"),
        code_version=entry.get("code_version") or entry.get("checksum"),
        depends_on=tuple(entry.get("depends_on", ())),
        sql=entry.get("sql") or entry.get("compiled_sql") or None,
    )


def _walk(
    name: str,
    known: Mapping[str, ModelInfo],
    sources: set[str],
    themes: set[str],
    others: tuple[str, ...],
    chain: list[str],
) -> None:
    """Add a model after those it reads, unless it is of another theme or dataset, or reads none of the files."""
    of_theme = next((name.removeprefix(prefix) for prefix in PER_THEME if name.startswith(prefix)), None)
    elsewhere = name.startswith(PER_DATASET) and name.removeprefix(PER_DATASET) not in sources
    if name in chain or name not in known or (of_theme and of_theme not in themes) or elsewhere:
        return
    if name.startswith(others) or not _raw_of(name, known, {}) & sources:
        return
    for parent in known[name].depends_on:
        _walk(parent.rpartition(".")[2], known, sources, themes, others, chain)
    chain.append(name)


def _raw_of(name: str, known: Mapping[str, ModelInfo], memo: dict[str, set[str]]) -> set[str]:
    """Datasets that a model descends from."""
    if name not in memo:
        memo[name] = set()
        for parent in known[name].depends_on if name in known else ():
            schema, _, short = parent.rpartition(".")
            memo[name] |= {short} if schema == "raw" else _raw_of(short, known, memo)
    return memo[name]


def checks_of(
    connection: duckdb.DuckDBPyConnection, release: ReleaseFolder, figure: Figure, models: Sequence[ModelInfo]
) -> tuple[tuple[CheckInfo, ...], str | None]:
    """Checks of the figure's files, of the models it went through and of the tables it stands in."""
    if not release.has("checks"):
        return (), "Cette version ne contient pas checks.parquet : voir qualite.html pour les contrôles faits."
    files = {name for entry in figure.inputs for name in (entry.file.get("file"), entry.file.get("name"))}
    datasets = {entry.cell["dataset"] for entry in figure.inputs}
    tables = {*LAST_MODELS, "lineage", f"mart_{figure.indicator['theme']}", *datasets, *(m.name for m in models)}
    rows = records(
        connection,
        'select * from checks where "table" in (select unnest(?)) order by "table", "check"',
        [sorted(tables)],
    )
    concerned = [row for row in rows if row.get("file") is None or row["file"] in files]
    return tuple(_check(row) for row in concerned), None


def _check(row: Record) -> CheckInfo:
    return CheckInfo(**{name: row.get(name) for name in CheckInfo.model_fields})


def breaks_of(connection: duckdb.DuckDBPyConnection, figure: Figure) -> tuple[Break, ...]:
    """Known breaks of the series that the figure's variables belong to, in its edition or in any."""
    pairs = sorted({(entry.cell["dataset"], entry.cell["variable"]) for entry in figure.arithmetic})
    query = """
    select distinct known_break.variable_group, known_break.vintage, kind, reason_fr as reason, citation
    from known_break
    inner join variable_column using (variable_group)
    where
        variable_column.vintage in ('*', ?) and known_break.vintage in ('*', ?)
        and (dataset, variable) in (select unnest(?), unnest(?))
    order by all
    """
    vintage = figure.row["vintage"]
    columns = [[dataset for dataset, _ in pairs], [variable for _, variable in pairs]]
    return tuple(Break(**row) for row in records(connection, query, [vintage, vintage, *columns]))


def run_of(release: ReleaseFolder, figure: Figure) -> RunInfo:
    """The run, from the lock."""
    lock = release.lock
    code = lock["code"]
    return RunInfo(
        lock_file=LOCK_NAME,
        run_id=lock.get("run_id") or figure.row["run_id"],
        built_at=lock.get("built_at"),
        git_commit=code.get("git_commit"),
        tree_clean=code.get("tree_clean"),
        code=code.get("code_digest"),
        python=lock["python"],
        libraries=lock["libraries"],
    )
