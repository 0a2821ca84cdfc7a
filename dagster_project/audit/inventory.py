"""What one release holds and what it is made of, in figures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from dagster_project import sql
from dagster_project.audit.release_folder import ReleaseFolder, UnknownReleaseError
from dagster_project.identity.build import LIBRARIES
from dagster_project.pages.numbers import moment, number

if TYPE_CHECKING:
    import duckdb

_DIGEST_SHOWN = 12


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceEdition(_Strict):
    """An edition of a dataset that the release is made of."""

    dataset: str
    vintage: str
    files: int
    producer: str
    licence: str


class Contents(_Strict):
    """What `dq release show` says. Counts are of figures, zones, indicators, cells and corrections."""

    release_id: str
    published_at: datetime | None
    build_id: str
    sources_kind: str
    territory: str
    figures: int
    figures_by_status: dict[str, int]
    figures_by_theme: dict[str, int]
    zones_by_level: dict[str, int]
    indicators: int
    source_cells: int
    corrections: int
    sources: tuple[SourceEdition, ...]
    libraries: dict[str, str]


def count_figures(release: ReleaseFolder) -> int:
    """Number of figures, from the footer of the table alone; raises UnknownReleaseError when it cannot be read."""
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    path = release.table_path("indicator_value")
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, ArrowException) as error:
        raise UnknownReleaseError(
            f"{path} ne peut être lu ({error}) : reprendre la version d’une autre copie"
        ) from error


def describe_contents(release: ReleaseFolder) -> Contents:
    """Read a release's own tables; raises UnknownReleaseError when one is missing or damaged."""
    import duckdb

    figures = count_figures(release)
    with duckdb.connect() as db:
        try:
            return Contents(
                release_id=release.release_id,
                published_at=release.published_at,
                build_id=release.build_id,
                sources_kind=release.sources_kind,
                territory=release.territory,
                figures=figures,
                figures_by_status=_counts(db, f"select status from {_table(release, 'indicator_value')}"),
                figures_by_theme=_counts(
                    db,
                    f"select theme from {_table(release, 'indicator_value')} "
                    f"inner join {_table(release, 'indicator')} using (indicator_code)",
                ),
                zones_by_level=_counts(
                    db, f"select zone_level || ' ' || generation from {_table(release, 'dim_zone')}"
                ),
                indicators=_number(db, f"select count(*) from {_table(release, 'indicator')}"),
                source_cells=_number(
                    db,
                    "select count(distinct (source_sha256, source_member, source_row, source_column)) "
                    f"from {_table(release, 'lineage')}",
                ),
                corrections=_number(db, f"select count(distinct correction_id) from {_table(release, 'corrections')}"),
                sources=_sources(db, release),
                libraries=dict(sorted(release.lock["libraries"].items())),
            )
        except duckdb.Error as error:
            raise _unreadable(release.path, error) from error


def _unreadable(path: Path, error: Exception) -> UnknownReleaseError:
    return UnknownReleaseError(
        f"{path} ne peut être lu ({str(error).splitlines()[0]}) : reprendre la version d’une autre copie"
    )


def _table(release: ReleaseFolder, name: str) -> str:
    return sql.parquet(release.table_path(name))


def _counts(db: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    return dict(db.execute(f"select part, count(*) from ({query}) as t(part) group by all order by all").fetchall())


def _number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    return int(row[0]) if row else 0


def _sources(db: duckdb.DuckDBPyConnection, release: ReleaseFolder) -> tuple[SourceEdition, ...]:
    rows = db.execute(
        f"""select dataset, vintage, count(*), any_value(producer), any_value(licence)
        from {_table(release, "source_file")} group by all order by all"""
    ).fetchall()
    names = ("dataset", "vintage", "files", "producer", "licence")
    return tuple(SourceEdition.model_validate(dict(zip(names, row, strict=True))) for row in rows)


def in_words(contents: Contents) -> str:
    """The same, in French, for a terminal."""
    tools = [name for name in LIBRARIES if name in contents.libraries]
    lines = ["DONNÉES FICTIVES (territoire de démonstration)"] if contents.sources_kind == "demo" else []
    lines += [
        f"Version      {contents.release_id}",
        f"Publiée le   {moment(contents.published_at)}",
        f"Composition  {contents.build_id[:_DIGEST_SHOWN]}, sources {contents.sources_kind}, "
        f"territoire {contents.territory}",
        f"Chiffres     {number(contents.figures)} ({_listed(contents.figures_by_theme)})",
        f"Statuts      {_listed(contents.figures_by_status)}",
        f"Zones        {_listed(contents.zones_by_level)}",
        f"Indicateurs  {number(contents.indicators)}",
        f"Cellules     {number(contents.source_cells)} cellules sources",
        f"Corrections  {number(contents.corrections)}",
        f"Outils       {', '.join(f'{name} {contents.libraries[name]}' for name in tools)}",
        "Sources",
    ]
    width = max((len(source.dataset) for source in contents.sources), default=0)
    lines += [
        f"  {source.dataset:{width}}  {source.vintage:6} {source.files:3} fichier{'s' if source.files > 1 else ' '}  "
        f"{source.producer}, {source.licence}"
        for source in contents.sources
    ]
    return "\n".join(lines) + "\n"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number(count)}" for name, count in counts.items())
