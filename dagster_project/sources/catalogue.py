"""The catalogue: what each dataset is, where it comes from and what it must look like.

One YAML file per producer in `catalogue/`. Unknown keys are refused, so that a misspelt key is an error
and not a silent default. Adding a dataset or a vintage is one YAML entry.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

CATALOGUE_DIR = Path(__file__).parent / "catalogue"
GEOGRAPHIC = ("shapefile", "geojson")
NUMERIC = ("count", "amount", "share", "index")


class CatalogueError(ValueError):
    """A catalogue file is wrong; the message names the file and the key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Licence(_Strict):
    """Terms of use, by name and address."""

    name: str = Field(min_length=3)
    url: str = Field(pattern=r"^https://")


class Origin(_Strict):
    """Who made the data, how to cite it, and under what terms it may be used."""

    producer: str = Field(min_length=2)
    title: str = Field(min_length=5)
    description: str = Field(min_length=30, description="plain French, what the table holds")
    citation: str = Field(min_length=10)
    page: str = Field(pattern=r"^https://", description="official page")
    licence: Licence
    access: Literal["open", "key", "convention"]


class Live(_Strict):
    """The official address. Without a stable one, a person drops the file in the inbox."""

    url: str | None = Field(None, pattern=r"^https://")
    client: Literal["francetravail_offres", "francetravail_marche"] | None = Field(
        None, description="client of the API that hands over the table, in place of an address"
    )
    member: str | None = Field(None, description="glob of the member to read when the address serves a zip")
    note: str | None = Field(None, description="why there is no direct address, or what to know of it")

    @model_validator(mode="after")
    def _explained(self) -> Live:
        if self.url is None and not self.note:
            raise ValueError("a file without a live url needs a note that says how to get it")
        if self.url is not None and self.client is not None:
            raise ValueError("a file comes from a live url or through a client, not both")
        return self


class Mirror(_Strict):
    """The copy in a mirror: one path, the companion files of a shapefile (.shp first), or the files of a bundle."""

    paths: tuple[str, ...] = Field(min_length=1)
    copy_of: Literal["producer_bytes", "third_party"]
    extent: Literal["whole", "lighter", "extract"] = Field(
        "whole",
        description="against the producer's file; lighter: as many rows (or files of a bundle) in fewer bytes; "
        "extract: the rows of some places or days only",
    )
    note: str | None = None
    member: str | None = None


class SourceFile(_Strict):
    """One file of a vintage."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9_.-]+$", description="stable name, also that of the inbox file (without suffix)"
    )
    live: Live
    mirror: Mirror | None = None
    crs: str | None = Field(None, pattern=r"^(EPSG:\d+|OGC:CRS84)$")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="expected digest of the mirror copy's first path"
    )


class Vintage(_Strict):
    """One edition of a dataset, in one file or several."""

    vintage: str = Field(pattern=r"^[0-9]{4}$", description="edition of the table, or year of the geography")
    files: tuple[SourceFile, ...] = Field(min_length=1)
    columns_absent: tuple[str, ...] = Field((), description="catalogue columns that this edition does not carry")
    in_demo: bool = Field(True, description="whether the demonstration territory has files of this edition")


class Column(_Strict):
    """A source column under its source name."""

    name: str
    type: Literal["code", "text", "count", "amount", "share", "index", "date", "note"]
    meaning: str = Field(min_length=3, description="plain French")
    values: tuple[str, ...] = Field((), description="the only texts allowed, where the list is closed")
    pattern: str | None = Field(None, description="regular expression that a filled cell matches whole")
    minimum: float | None = Field(None, description="least number that a filled cell may hold")
    maximum: float | None = Field(None, description="greatest number that a filled cell may hold")


class Reference(_Strict):
    """A code that must be known to another raw table."""

    column: str
    dataset: str = Field(description="id of the dataset that holds the list of codes")
    dataset_column: str
    where: dict[str, str] = Field(default_factory=dict, description="rows concerned: column and text")
    also: tuple[str, ...] = Field((), description="further datasets whose column of the same name may hold the code")

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every dataset in which the code may be known."""
        return (self.dataset, *self.also)


class Shape(_Strict):
    """Which counts the rows of one kind carry: those listed are filled, the other counts are left empty."""

    meaning: str = Field(min_length=3, description="plain French")
    where: dict[str, str] = Field(description="rows concerned: column and text; a row is of the first kind it fits")
    filled: tuple[str, ...] = Field(min_length=1)


class Convention(_Strict):
    """What a partner's file must respect; a breach stops it at the door, before the raw table is replaced."""

    threshold: int | None = Field(None, ge=2, description="smallest count that may be delivered, zero apart")
    masked: str | None = Field(None, min_length=1, description="text that stands for a count below the threshold")
    denominator: str | None = None
    numerators: tuple[str, ...] = Field((), description="counts of persons; none exceeds the denominator, if any")
    required: tuple[str, ...] = Field((), description="columns that are always filled, beside those of the key")
    together: tuple[tuple[str, ...], ...] = Field((), description="columns filled all at once or not at all")
    codes: tuple[Reference, ...] = ()
    shapes: tuple[Shape, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Convention:
        if self.denominator and not self.numerators:
            raise ValueError("a denominator needs numerators")
        if len({bool(self.counts), self.threshold is not None, self.masked is not None}) > 1:
            raise ValueError("counts, `threshold` and `masked` go together")
        return self

    @property
    def counts(self) -> tuple[str, ...]:
        """Columns that count persons, which the threshold protects."""
        return (*((self.denominator,) if self.denominator else ()), *self.numerators)


class Bounds(_Strict):
    """Both ends included."""

    minimum: int = Field(ge=0)
    maximum: int = Field(ge=1)


class Dataset(_Strict):
    """One table of a producer, over all its vintages. `id` names the raw table and the Dagster asset."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    producer: str = Field(pattern=r"^[a-z]+$", description="short key: the asset group and the dbt folder")
    role: Literal["statistics", "geography", "context", "model"] = Field(
        description="statistics: its cells are observations that indicators sum, mapped in `variable_column`; "
        "geography: it says which places there are, their codes, contours and passages; "
        "model: a calculation of its own reads it (travel times, offers, take-up), no cell is summed as it is; "
        "context: it is shown or kept beside figures, and no figure is made of it"
    )
    origin: Origin
    format: Literal["csv", "xlsx", "shapefile", "geojson", "json", "parquet", "bundle"]
    encoding: str = "utf-8"
    delimiter: str = ";"
    sheet: str | None = None
    header_row: int = Field(1, ge=1, description="1-based line or sheet row of the column names")
    records: str | None = Field(None, description="json: member that holds the array, when the document is an object")
    dropped_columns: tuple[str, ...] = Field(
        (), description="source columns never written to a table; `a.b` is the member b of the nested value a"
    )
    key: tuple[str, ...] = Field(min_length=1, description="source columns that identify a row within a file")
    columns: tuple[Column, ...] = Field(min_length=1, description="columns the product relies on")
    further_columns: bool = Field(False, description="whether files carry columns that are not declared here")
    repeated_keys: bool = Field(False, description="whether a few rows of a file bear the key of another")
    rows: Bounds = Field(description="expected rows per vintage, whole France")
    bytes: Bounds = Field(description="expected size of one file")
    rejects_tolerated: int = Field(0, ge=0, description="rows that may fail to be read before the asset fails")
    rhythm_days: int = Field(ge=1, description="publication rhythm of the producer")
    personal_data: Literal["none", "aggregate", "personal"] = "aggregate"
    secrecy: str = Field(min_length=3, description="how the producer marks secrecy, plain French")
    masked_below: int | None = Field(
        None, ge=2, description="least count that the producer shows, zero apart; a convention has its own `threshold`"
    )
    context_only: bool = Field(False, description="read beside figures: nothing of it enters a release")
    generation: Literal["QP2015", "QN2024"] | None = None
    when_absent: Literal["stop", "convention", "non_couvert"] = Field(
        "stop",
        description="what a missing file means: an error, no convention signed yet, or a source that this place lacks",
    )
    convention: Convention | None = None
    vintages: tuple[Vintage, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _with_its_numbers(cls, entry: Any) -> Any:
        """Texts of an entry write the count under which it is masked as `{n}`, and the number below as `{n-1}`."""
        if not isinstance(entry, dict):
            return entry
        convention = entry.get("convention")
        least = convention.get("threshold") if isinstance(convention, dict) else entry.get("masked_below")
        return _numbered(entry, least)

    @model_validator(mode="after")
    def _consistent(self) -> Dataset:
        seen = [vintage.vintage for vintage in self.vintages]
        if len(seen) != len(set(seen)):
            raise ValueError(f"{self.id}: a vintage is declared twice ({seen})")
        if self.format in GEOGRAPHIC and any(f.crs is None for v in self.vintages for f in v.files):
            raise ValueError(f"{self.id}: files of format {self.format} need a crs")
        names = [file.name for vintage in self.vintages for file in vintage.files]
        if len(names) != len(set(names)):
            raise ValueError(f"{self.id}: file names must be unique")
        if (self.convention is not None) != (self.origin.access == "convention"):
            raise ValueError(f"{self.id}: `convention` goes with access: convention, and the other way round")
        if self.records and self.format != "json":
            raise ValueError(f"{self.id}: `records` goes with format json")
        if self.convention and self.masked_below is not None:
            raise ValueError(f"{self.id}: what a convention masks is its `threshold`, not `masked_below`")
        if self.role == "statistics" and not any(column.type in NUMERIC for column in self.columns):
            raise ValueError(f"{self.id}: role statistics needs a column of type {', '.join(NUMERIC)}")
        if self.context_only and self.role != "context":
            raise ValueError(f"{self.id}: `context_only` goes with role: context")
        declared = {column.name for column in self.columns}
        if kept := declared & set(self.dropped_columns):
            raise ValueError(f"{self.id}: columns both declared and dropped ({sorted(kept)})")
        if self.convention and (unknown := _columns_named(self.convention) - declared):
            raise ValueError(f"{self.id}: `convention` names columns that are not declared ({sorted(unknown)})")
        return self

    @property
    def absence(self) -> Literal["convention", "non_couvert"]:
        """What the status of this table is where it is absent."""
        return "convention" if self.when_absent == "convention" else "non_couvert"

    def may_lack(self, vintage: Vintage, *, demo: bool) -> bool:
        """Whether a run goes on without the files of this vintage.

        Args:
            vintage: of this dataset.
            demo: whether sources are those of the demonstration territory, which need not show every edition.
        """
        return self.when_absent != "stop" or (demo and not vintage.in_demo)

    @property
    def is_geographic(self) -> bool:
        return self.format in GEOGRAPHIC

    @property
    def least_shown(self) -> int | None:
        """Least count, zero apart, that the producer shows; None when no count hides a cell, or it does not say."""
        return self.convention.threshold if self.convention else self.masked_below


def _numbered(value: Any, least: int | None) -> Any:
    match value:
        case dict():
            return {name: _numbered(part, least) for name, part in value.items()}
        case list() | tuple():
            return [_numbered(part, least) for part in value]
        case str() if "{n}" in value or "{n-1}" in value:
            if least is None:
                raise ValueError(f"{value!r} speaks of a count under which cells are masked, and the entry gives none")
            return value.replace("{n}", str(least)).replace("{n-1}", str(least - 1))
    return value


def _columns_named(convention: Convention) -> set[str]:
    conditions = [*(code.where for code in convention.codes), *(shape.where for shape in convention.shapes)]
    filled = [name for shape in convention.shapes for name in shape.filled]
    codes = [code.column for code in convention.codes]
    together = [name for group in convention.together for name in group]
    where = [name for condition in conditions for name in condition]
    return {*convention.counts, *convention.required, *together, *filled, *codes, *where}


class _CatalogueFile(_Strict):
    datasets: tuple[Dataset, ...]


def load_file(path: Path) -> tuple[Dataset, ...]:
    """Datasets of one catalogue file; raises CatalogueError naming the file and the key."""
    try:
        return _CatalogueFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).datasets
    except (ValidationError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error


@cache
def load_catalogue(directory: Path = CATALOGUE_DIR) -> dict[str, Dataset]:
    """All datasets by id, in a stable order."""
    datasets: dict[str, Dataset] = {}
    for path in sorted(directory.glob("*.yml")):
        for dataset in load_file(path):
            if dataset.id in datasets:
                raise CatalogueError(f"{path.name}: dataset {dataset.id} is declared twice")
            datasets[dataset.id] = dataset
    return datasets


def json_schema() -> dict[str, object]:
    """Published JSON Schema of a catalogue file."""
    return _CatalogueFile.model_json_schema()
