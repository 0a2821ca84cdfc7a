"""What a release covers: years, territory, indicators."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.release.geo_export import Extent

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Indicator:
    """An indicator as the catalogue describes it."""

    code: str
    name: str
    definition: str
    unit: str
    formula: str
    misuse: str


@dataclass(frozen=True)
class Coverage:
    """Years that figures speak of (not those of publication), and extent of the territory in WGS84."""

    first_year: int | None
    last_year: int | None
    extent: Extent | None
    indicators: tuple[Indicator, ...]

    @property
    def period(self) -> tuple[str, str] | None:
        """First and last day, ISO 8601."""
        if self.first_year is None or self.last_year is None:
            return None
        return f"{self.first_year}-01-01", f"{self.last_year}-12-31"

    @property
    def ring(self) -> list[list[float]] | None:
        """The extent as a closed ring, counter-clockwise."""
        if self.extent is None:
            return None
        west, south, east, north = self.extent
        return [[west, south], [east, south], [east, north], [west, north], [west, south]]

    @property
    def geojson(self) -> str | None:
        return json.dumps({"type": "Polygon", "coordinates": [self.ring]}) if self.ring else None

    @property
    def wkt(self) -> str | None:
        """The same in WKT."""
        if not self.ring:
            return None
        return f"POLYGON(({', '.join(f'{longitude} {latitude}' for longitude, latitude in self.ring)}))"


def read_coverage(connection: duckdb.DuckDBPyConnection, extent: Extent | None) -> Coverage:
    """From the release's tables; the year of a figure is that of its reference period."""
    years = "try_cast(regexp_extract(reference_period, '(19|20)[0-9]{2}') as integer)"
    first, last = (
        connection.execute(f"select min({years}), max({years}) from indicator_value").fetchone() or (None,) * 2
    )
    rows = connection.execute(
        """select indicator_code, libelle_fr, definition_fr, unit, formula, mesusage_fr from indicator
           where indicator_code in (select indicator_code from indicator_value) order by indicator_code"""
    ).fetchall()
    return Coverage(first, last, extent, tuple(Indicator(*row) for row in rows))
