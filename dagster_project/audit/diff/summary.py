"""What a comparison says in short: counts by cause and theme, what came and went, what moved most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from dagster_project.audit.diff.causes import CONTRIBUTIONS, Cause
from dagster_project.audit.diff.changes import GAINED, LOST, STATUS, TERMS, VALUE
from dagster_project.audit.release_folder import ReleaseFolder

if TYPE_CHECKING:
    import duckdb

SCHEMA_VERSION = 1
LISTED = 200
TOP = 50
CHANGES = (VALUE, STATUS, TERMS, GAINED, LOST)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Side(_Strict):
    """One of the two releases."""

    release_id: str
    published_at: datetime | None
    build_id: str
    sources: str
    territory: str
    figures: int


class CauseCount(_Strict):
    """Changed figures that a cause explains: as their main cause (each figure counts once), or with others."""

    cause: Cause
    label: str
    meaning: str
    main: int
    involved: int
    main_by_theme: dict[str, int]


class Item(_Strict):
    """A zone or an indicator that came, went, or is described otherwise."""

    code: str
    name: str
    detail: str


class Items(_Strict):
    """How many, and the first of them."""

    count: int
    shown: tuple[Item, ...]


class StatusChange(_Strict):
    """Figures whose status went from one to another for one main cause."""

    before: str
    after: str
    cause: Cause
    figures: int


class Figure(_Strict):
    """A changed figure. Contributions are in its unit and by cause, zeros left out; they sum to `difference`."""

    figure_id: str
    indicator: str
    unit: str
    zone: str
    vintage: str
    change: str
    status_before: str | None
    status_after: str | None
    value_before: float | None
    value_after: float | None
    difference: float | None
    tolerated: float | None
    contributions: dict[Cause, float]
    main_cause: Cause
    causes: tuple[Cause, ...]


class Summary(_Strict):
    """The comparison in short; `changements.parquet` has every changed figure."""

    schema_version: int
    before: Side
    after: Side
    fictitious: bool
    program_differences: tuple[str, ...]
    unchanged: int
    changed: int
    by_change: dict[str, int]
    beyond_tolerance: int
    themes: tuple[str, ...]
    causes: tuple[CauseCount, ...]
    zones_gained: Items
    zones_lost: Items
    zones_modified: Items
    indicators_gained: Items
    indicators_lost: Items
    indicators_modified: Items
    status_changes: tuple[StatusChange, ...]
    most_moved: tuple[Figure, ...]
    residual: int
    residual_figures: tuple[Figure, ...]

    def of_theme(self, theme: str) -> int:
        """Changed figures of a theme."""
        return sum(count.main_by_theme.get(theme, 0) for count in self.causes)


def summarise(db: duckdb.DuckDBPyConnection, old: ReleaseFolder, new: ReleaseFolder, program: Sequence[str]) -> Summary:
    """Read the summary off table `changes` and the two releases of `tables.open_pair`."""
    before, after = (_one(db, f"select count(*) from {side}.indicator_value") for side in ("old", "new"))
    by_change = dict(db.execute("select change, count(*) from changes group by all").fetchall())
    changed = sum(by_change.values())
    themes = [theme for (theme,) in db.execute("select distinct theme from changes order by all").fetchall()]
    residual = f"list_contains(causes, '{Cause.RESIDUAL}')"
    return Summary(
        schema_version=SCHEMA_VERSION,
        before=_side(old, before),
        after=_side(new, after),
        fictitious=new.fictitious,
        program_differences=tuple(program),
        unchanged=after - changed + by_change.get(LOST, 0),
        changed=changed,
        by_change={change: by_change.get(change, 0) for change in CHANGES},
        beyond_tolerance=_one(db, "select count(*) from changes where beyond_tolerance"),
        themes=tuple(themes),
        causes=tuple(_causes(db)),
        zones_gained=_items(db, _zones("new", "old")),
        zones_lost=_items(db, _zones("old", "new")),
        zones_modified=_items(db, _ZONES_MODIFIED),
        indicators_gained=_items(db, _indicators("new", "old")),
        indicators_lost=_items(db, _indicators("old", "new")),
        indicators_modified=_items(db, _INDICATORS_MODIFIED),
        status_changes=tuple(_status_changes(db)),
        most_moved=tuple(_figures(db, "beyond_tolerance", TOP)),
        residual=_one(db, f"select count(*) from changes where {residual}"),
        residual_figures=tuple(_figures(db, residual, TOP)),
    )


def _side(release: ReleaseFolder, figures: int) -> Side:
    return Side(
        release_id=release.release_id,
        published_at=release.published_at,
        build_id=release.build_id,
        sources=release.sources_kind,
        territory=release.territory,
        figures=figures,
    )


def _one(db: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = db.execute(query).fetchone()
    return row[0] if row else None


def _causes(db: duckdb.DuckDBPyConnection) -> list[CauseCount]:
    main: dict[str, dict[str, int]] = {}
    for cause, theme, count in db.execute(
        "select main_cause, theme, count(*) from changes group by all order by all"
    ).fetchall():
        main.setdefault(cause, {})[theme] = count
    involved = dict(
        db.execute("select cause, count(*) from (select unnest(causes) as cause from changes) group by all").fetchall()
    )
    return [
        CauseCount(
            cause=cause,
            label=cause.label,
            meaning=cause.meaning,
            main=sum(main.get(cause, {}).values()),
            involved=involved.get(cause, 0),
            main_by_theme=main.get(cause, {}),
        )
        for cause in CONTRIBUTIONS
    ]


def _status_changes(db: duckdb.DuckDBPyConnection) -> list[StatusChange]:
    rows = db.execute(
        f"""select status_before, status_after, main_cause, count(*) as figures
        from changes where change = '{STATUS}' group by all
        order by figures desc, status_before, status_after, main_cause"""
    ).fetchall()
    return [StatusChange(before=before, after=after, cause=cause, figures=n) for before, after, cause, n in rows]


def _figures(db: duckdb.DuckDBPyConnection, which: str, limit: int) -> list[Figure]:
    """Changed figures, those that moved most beyond what is tolerated first."""
    due = ", ".join(f"'{cause}': due_{cause}" for cause in CONTRIBUTIONS)
    rows = db.execute(
        f"""select
            figure_id, coalesce(n.libelle_fr, o.libelle_fr, indicator_code) as indicator, changes.unit,
            coalesce(zone_name, zone_code) || ' (' || zone_level || ' ' || zone_code || ')' as zone, vintage, change,
            status_before, status_after, value_before, value_after, difference, tolerated, {{{due}}} as contributions,
            main_cause, causes
        from changes
        left join old.indicator as o using (indicator_code)
        left join new.indicator as n using (indicator_code)
        where {which}
        order by abs(difference) / nullif(tolerated, 0) desc nulls last, figure_id
        limit {limit}"""
    )
    names = [column[0] for column in rows.description or ()]
    records = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    for record in records:
        record["contributions"] = {cause: due for cause, due in record["contributions"].items() if due}
    return [Figure.model_validate(record) for record in records]


def _items(db: duckdb.DuckDBPyConnection, query: str) -> Items:
    count = _one(db, f"select count(*) from ({query})")
    rows = db.execute(f"select code, name, detail from ({query}) order by all limit {LISTED}").fetchall()
    return Items(count=count, shown=tuple(Item(code=c, name=n, detail=d) for c, n, d in rows))


def _zones(having: str, lacking: str) -> str:
    return f"""
        select zone_code as code, name, zone_level || ' ' || generation as detail
        from {having}.dim_zone anti join {lacking}.dim_zone using (zone_level, zone_code, generation)"""


def _indicators(having: str, lacking: str) -> str:
    return f"""
        select indicator_code as code, libelle_fr as name, theme as detail
        from {having}.indicator anti join {lacking}.indicator using (indicator_code)"""


def _differing(parts: dict[str, str]) -> str:
    """SQL text of what differs, in French, from conditions by name."""
    return "concat_ws(', ', " + ", ".join(f"if({condition}, '{name}', null)" for name, condition in parts.items()) + ")"


_ZONE_PARTS = {
    "nom": "o.name is distinct from n.name",
    "contour": "o.geometry is distinct from n.geometry",
    "rattachement": " or ".join(
        f"o.{level} is distinct from n.{level}" for level in ("communes", "epci", "departement", "region")
    ),
}
_ZONES_MODIFIED = f"""
    select zone_code as code, n.name, zone_level || ' ' || generation || ' : ' || parts as detail
    from (
        select zone_level, zone_code, generation, n.name, {_differing(_ZONE_PARTS)} as parts
        from old.dim_zone as o inner join new.dim_zone as n using (zone_level, zone_code, generation)
    ) as n
    where parts != ''"""

_INDICATOR_PARTS = {
    "nom": "o.libelle_fr is distinct from n.libelle_fr",
    "définition": "o.definition_fr is distinct from n.definition_fr",
    "unité": "o.unit is distinct from n.unit",
    "formule": "(o.formula, o.scale, o.terms) is distinct from (n.formula, n.scale, n.terms)",
    "mésusages": "o.mesusage_fr is distinct from n.mesusage_fr",
}


def _described(side: str) -> str:
    return f"""
        select indicator.*, (
            select string_agg(concat_ws(' ', role, variable, coefficient), ', ' order by role, variable)
            from {side}.indicator_term as term where term.indicator_code = indicator.indicator_code
        ) as terms
        from {side}.indicator as indicator"""


_INDICATORS_MODIFIED = f"""
    select indicator_code as code, libelle_fr as name, parts as detail
    from (
        select indicator_code, n.libelle_fr, {_differing(_INDICATOR_PARTS)} as parts
        from ({_described("old")}) as o inner join ({_described("new")}) as n using (indicator_code)
    )
    where parts != ''"""
