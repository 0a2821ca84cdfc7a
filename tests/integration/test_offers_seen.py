"""Offers seen: three days of live harvests in a real archive, and the asset that plays them again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest

from dagster_project.defs.offers import offer_assets
from dagster_project.settings import Settings
from dagster_project.sources import archive
from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.clients.offer_fields import canonical, kept
from dagster_project.sources.clients.snapshot import WHOLE_HEADER, SnapshotError
from dagster_project.sources.fetch import file_key, open_archive
from dagster_project.sources.offers_seen import DATASET, build_offers_seen, live_receptions
from tests.francetravail_api import offer

CATALOGUED = load_catalogue()[DATASET]
VINTAGE, FILE = next((v, f) for v in CATALOGUED.vintages for f in v.files if f.live.client)
FIRST, SECOND, THIRD = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)
A, B, C = offer(1), offer(2), offer(3, departement="22")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, sources="live")


@pytest.fixture
def three_days(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A leaves on the second day; 22 is interrupted that day, and C is there again on the third."""
    harvest(settings, monkeypatch, FIRST, [A, B, C], "22,35")
    harvest(settings, monkeypatch, SECOND, [B], "35")
    harvest(settings, monkeypatch, THIRD, [B, C], "22,35")
    return settings


def harvest(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    day: date,
    offers: list[dict[str, Any]],
    whole: str,
    origin: str = "live",
) -> ArchivedFile:
    """Archive a harvest as the client does, on a given day."""
    monkeypatch.setattr(archive, "_utc_now", lambda: f"{day}T04:00:00+00:00")
    return open_archive(settings.archive_dir).store(
        [canonical(kept(one) for one in offers)],
        key=file_key(CATALOGUED, VINTAGE, FILE),
        name=f"{FILE.name}.json",
        url="https://exemple.invalid/offres",
        final_url="https://exemple.invalid/offres",
        headers={WHOLE_HEADER: whole},
        origin=origin,
        max_bytes=1 << 20,
    )


def materialised(settings: Settings) -> tuple[list[tuple[Any, ...]], str]:
    """Rows of the table that the asset writes, and its data version."""
    (asset,) = offer_assets(settings)
    result = asset()
    assert isinstance(result, dg.MaterializeResult)
    assert result.data_version is not None
    table = pq.read_table(settings.derived_dir / "offres_vues.parquet")
    assert [(field.name, str(field.type)) for field in table.schema] == [
        *((name, "string") for name in ("offre_id", "departement")),
        *((name, "date32[day]") for name in ("premiere_vue", "derniere_vue", "disparue_le")),
    ]
    return [tuple(row.values()) for row in table.to_pylist()], result.data_version.value


def test_an_interrupted_departement_loses_no_offer(three_days: Settings) -> None:
    rows, _ = materialised(three_days)
    assert rows == [
        (A["id"], "35", FIRST, FIRST, SECOND),
        (B["id"], "35", FIRST, THIRD, None),
        (C["id"], "22", FIRST, THIRD, None),
    ]


def test_an_interrupted_departement_is_open_until_it_is_received_whole(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    harvest(settings, monkeypatch, FIRST, [B, C], "22,35")
    harvest(settings, monkeypatch, SECOND, [B], "35")
    assert materialised(settings)[0][1] == (C["id"], "22", FIRST, FIRST, None)
    harvest(settings, monkeypatch, THIRD, [B], "22,35")
    assert materialised(settings)[0][1] == (C["id"], "22", FIRST, FIRST, THIRD)


def test_the_same_harvests_give_the_same_file(three_days: Settings, tmp_path: Path) -> None:
    path = three_days.derived_dir / "offres_vues.parquet"
    rows, version = materialised(three_days)
    written, content = path.stat().st_mtime_ns, path.read_bytes()
    assert materialised(three_days) == (rows, version)
    assert path.stat().st_mtime_ns == written
    path.unlink()
    assert materialised(three_days) == (rows, version)
    assert path.read_bytes() == content


def test_a_harvest_without_change_moves_the_last_day(three_days: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _, version = materialised(three_days)
    assert harvest(three_days, monkeypatch, date(2026, 3, 4), [B, C], "22,35").unchanged
    rows, later = materialised(three_days)
    assert rows[1][3] == date(2026, 3, 4)
    assert later != version


def test_only_live_receptions_count(three_days: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = materialised(three_days)
    harvest(three_days, monkeypatch, date(2026, 3, 4), [], "22,35", origin="inbox")
    assert materialised(three_days)[0] == rows


@pytest.mark.parametrize(
    "change",
    [{"sources": "demo"}, {"sources": "mirror", "mirror": "/nowhere"}, {"rebuild_lock": Path("/build.lock.json")}],
    ids=["demonstration", "mirror", "rebuild"],
)
def test_empty_and_typed_where_sources_are_not_live(three_days: Settings, change: dict[str, Any]) -> None:
    assert materialised(three_days)[0]
    assert materialised(Settings(**(three_days.model_dump() | change)))[0] == []


def test_empty_and_typed_without_any_harvest(settings: Settings) -> None:
    assert materialised(settings)[0] == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), r"2026-03-02.*cannot be read"),
        (lambda path: (path.chmod(0o644), path.write_bytes(b"{}")), r"2026-03-02.*another digest"),
    ],
    ids=["missing", "altered"],
)
def test_a_damaged_archive_is_told(three_days: Settings, damage: Any, message: str) -> None:
    receptions = live_receptions(CATALOGUED, three_days)
    damage(receptions[1].path)
    with pytest.raises(SnapshotError, match=message):
        build_offers_seen(receptions)
