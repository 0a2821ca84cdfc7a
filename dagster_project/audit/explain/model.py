"""The explanation of a figure, as data. Its JSON Schema is published: docs/schemas/explain.schema.json.

Names are those of the released tables; sentences are French. Every member is always there: what a release does not
say is null or empty, and a `*_note` says so.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Format = Literal["data-et-quartiers/explain/3"]
FORMAT: Format = "data-et-quartiers/explain/3"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleaseInfo(_Strict):
    """The release that the figure stands in."""

    release_id: str
    build_id: str | None = Field(description="digest of what its figures are made of")
    sources: str = Field(description="demo, mirror or live")
    sources_fr: str
    territory: str


class FigureInfo(_Strict):
    """The figure as published."""

    figure_id: str
    indicator_code: str
    zone_level: str
    zone_level_fr: str
    zone_code: str
    zone_name: str
    generation: str
    vintage: str
    reference_period: str
    value: float | None
    value_fr: str = Field(description="value and unit as French readers write them; — when there is none")
    unit: str
    numerator: float | None
    denominator: float | None
    ci_low: float | None
    ci_high: float | None
    n_effective: float | None
    coverage: float | None = Field(description="share of the zone’s inhabitants that its units render; 1 for its own")
    status: str
    status_fr: str
    method: str
    method_fr: str
    comparable_with_previous: bool | None


class Definition(_Strict):
    """What the indicator means, in plain words, and what it must not be used for."""

    label: str
    text: str
    theme: str
    misuse: str


class Term(_Strict):
    """One term of the formula."""

    role: str
    variable: str
    base_variable: str | None = Field(description="what the variable is a published share of: both multiply")
    coefficient: float


class Formula(_Strict):
    """The formula, in names and in numbers."""

    path: Literal["value", "ratio", "model"]
    declared: str
    symbolic: str
    numeric: str = Field(description="the numbers put in; where one is missing, why")
    scale: float
    from_level: str | None = Field(description="units whose cells are summed; null when they are the zone’s own")
    terms: tuple[Term, ...]


class UnitInfo(_Strict):
    """A unit (IRIS, tile, building) that the crosswalk puts in the zone."""

    code: str
    name: str | None
    weight: float = Field(description="share of the unit that counts in the zone")
    basis: str
    basis_fr: str
    population: float | None = Field(description="inhabitants of the unit in the zone, by its weight")
    state: Literal["counted", "set_aside", "without_cell"]
    cells: str = Field(description="its cells as they enter the sums")


class Reported(_Strict):
    """How a figure was brought from other units to its zone."""

    level: str
    level_fr: str
    counted: int
    set_aside: int = Field(description="units left out whole, for want of a cell")
    without_cell: int = Field(description="units of which the source has no cell at all")
    units: tuple[UnitInfo, ...] = Field(description="heaviest first")
    interval_basis: str
    scope: str = Field(description="what the lineage covers, and what it leaves out")


class ModelUsed(_Strict):
    """The statistical model that made the figure (method M4)."""

    name: str | None
    version: str | None
    parameters: str | None
    components: tuple[str, ...] = Field(description="figures that it is made of; each leads on to its own cells")


class Weighted(_Strict):
    """A weighted sum that a model makes, made again from the cells as the release has them."""

    symbolic: str
    numeric: str = Field(description="the sums put in; empty where they are the value itself")
    cells: int = Field(description="cells that enter it; each is in `inputs`, with its weight")
    value: float | None = Field(description="what the cells give again")
    agrees: bool = Field(description="whether that is the published value, within 1e-9 relative")
    scope: str = Field(description="where the weights come from, and what is not made again")


class Edition(_Strict):
    """The same figure in an edition of the source."""

    vintage: str
    figure_id: str
    value: float | None
    status: str


class Comparison(_Strict):
    """The same indicator for a zone that holds this one, when both speak of the same period."""

    level: str
    level_fr: str
    code: str
    name: str | None
    value: float | None
    status: str
    status_fr: str
    difference: float | None
    figure_id: str


class InputInfo(_Strict):
    """One source cell, with the file it lies in."""

    role: str
    role_fr: str
    term: str | None = Field(description="unit, and variable of the term: cells of one term multiply")
    variable: str | None
    weight: float | None
    value: float | None = Field(description="number that enters the formula, corrections applied")
    status: str | None = Field(description="why there is no number; null for cells outside the formula")
    status_fr: str | None
    raw_value: str | None = Field(description="text as the producer wrote it")
    raw_value_visible: str = Field(description="the same, invisible characters spelt [U+XXXX]")
    dataset: str
    file: str | None
    sha256: str
    member: str | None
    row: int | None = Field(description="first line = 1; null when the file has no row for the zone")
    column: str
    producer: str | None
    title: str | None
    citation: str | None
    licence: str | None
    licence_url: str | None
    page: str | None
    url: str | None
    fetched_at: str | None
    size: int | None
    copy_of: str | None
    copy_of_fr: str | None
    correction_id: str | None


class Correction(_Strict):
    """A declared correction of a known error, applied to a cell of this figure."""

    correction_id: str
    action: str
    corrected_value: float | None
    column: str
    reason: str
    reported_by: str
    reported_on: str


class Break(_Strict):
    """A known break in the series."""

    variable_group: str
    vintage: str
    kind: str
    reason: str
    citation: str


class ModelInfo(_Strict):
    """A model that the figure went through, with the SQL that ran."""

    name: str
    schema_name: str | None
    description: str | None
    code_version: str | None
    depends_on: tuple[str, ...]
    sql: str | None


class CheckInfo(_Strict):
    """A check that covered the figure. `passed` is null when it was not run."""

    kind: str | None
    table: str
    check: str
    severity: str | None
    passed: bool | None
    observed: str | None
    reason: str | None


class RunInfo(_Strict):
    """The run that made the release, from its lock."""

    lock_file: str | None
    run_id: str | None
    built_at: str | None
    git_commit: str | None
    tree_clean: bool | None
    code: str | None
    python: str | None
    libraries: dict[str, str]


class Explanation(_Strict):
    """How one figure was built."""

    format: Format = FORMAT
    fictitious: bool
    release: ReleaseInfo
    figure: FigureInfo
    definition: Definition
    formula: Formula
    reported: Reported | None = Field(description="null when the cells are the zone’s own")
    absent_source: str | None = Field(description="why a figure without a cell, or a model without a value, has none")
    model: ModelUsed | None
    weighted: Weighted | None = Field(description="null when the figure is no weighted sum of a model")
    editions: tuple[Edition, ...]
    comparisons: tuple[Comparison, ...]
    inputs: tuple[InputInfo, ...]
    crosswalk_weights: tuple[InputInfo, ...] = Field(description="cells that weigh one geography in another")
    corrections: tuple[Correction, ...]
    breaks: tuple[Break, ...]
    models: tuple[ModelInfo, ...]
    models_note: str | None
    checks: tuple[CheckInfo, ...]
    checks_note: str | None
    run: RunInfo


def json_schema() -> dict[str, Any]:
    """Published JSON Schema of `dq explain --json`."""
    schema = Explanation.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": FORMAT, **schema}
