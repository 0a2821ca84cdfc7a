"""Tables that come through a client: fetched with a key, absent without one, no secret left behind."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagster_project.closure import closure
from dagster_project.settings import Settings, export_environment, load_settings, remember
from dagster_project.sources import presence
from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.clients import marche, oauth, offres, rate
from dagster_project.sources.clients.snapshot import State, merge
from dagster_project.sources.code import CARRIERS
from dagster_project.sources.fetch import SourceMissing, fetch_file, open_archive
from dagster_project.sources.http import FetchError
from dagster_project.sources.received import fetch_all
from tests.fetch_samples import first, sample_dataset, sample_file
from tests.francetravail_api import CLIENT_ID, CLIENT_SECRET, DEMANDEURS_PATH, TOKEN_PATH, FakeApi, offer
from tests.http_server import Reply, ScriptedServer

NOTE = "Accès sur clé : inscrire une application sur francetravail.io."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(rate, "_sleep", lambda seconds: None)
    with ScriptedServer() as started:
        monkeypatch.setattr(oauth, "TOKEN_URL", started.url(TOKEN_PATH))
        monkeypatch.setattr(offres, "BASE_URL", started.url("/offres"))
        monkeypatch.setattr(marche, "BASE_URL", started.url("/marche"))
        yield started


def dataset(client: str = "francetravail_offres", when_absent: str = "non_couvert", **changes: Any) -> Dataset:
    file = sample_file("OFFRES", live={"client": client, "note": NOTE}, mirror=None)
    return sample_dataset({"2026": (file,)}, format="json", when_absent=when_absent, **changes)


def settings(home: Path, **changes: Any) -> Settings:
    key = {"francetravail_client_id": CLIENT_ID, "francetravail_client_secret": CLIENT_SECRET}
    return Settings(home=home, **{"sources": "live", "territory": "dep:22,35", "max_retries": 1, **key, **changes})


def without_key(home: Path, **changes: Any) -> Settings:
    return settings(home, francetravail_client_id=None, francetravail_client_secret=None, **changes)


def test_a_harvest_is_archived_with_its_counts(
    tmp_path: Path, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    api = FakeApi(server, [offer(1), offer(2, departement="22"), offer(3, departement="44")])
    here = settings(tmp_path)
    with caplog.at_level(logging.DEBUG):
        (part,) = fetch_file(*first(dataset()), here)
    found = json.loads(part.path.read_bytes())["resultats"]
    assert [entry["id"] for entry in found] == ["00000135", "00000222"]
    assert (part.key, part.origin, part.name) == ("insee_exemple/2026/OFFRES", "live", "OFFRES.json")
    assert part.headers["x-dq-departements-entiers"] == "22,35"
    assert json.loads(part.headers["x-dq-comptes"])["offres"] == 2
    (again,) = fetch_file(*first(dataset()), here)
    assert (again.sha256, again.unchanged) == (part.sha256, True)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    shown = caplog.text.encode() + kept
    for secret in (CLIENT_ID, CLIENT_SECRET, *(f"jeton-{n:04}" for n in range(1, api.tokens + 1))):
        assert secret.encode() not in shown


def test_snapshots_are_made_again_from_the_archive(tmp_path: Path, server: ScriptedServer) -> None:
    api = FakeApi(server, [offer(1), offer(2)])
    here = settings(tmp_path)
    for day in range(2):
        api.offers = api.offers[day:]
        fetch_file(*first(dataset()), here)
    state = State()
    for number, entry in enumerate(open_archive(here.archive_dir).history("insee_exemple/2026/OFFRES"), start=1):
        whole = entry.headers["x-dq-departements-entiers"].split(",")
        state = merge(state, json.loads(entry.path.read_bytes())["resultats"], whole, f"2026-03-0{number}")
    assert [(r["id"], r["derniere_vue"], r["disparue_le"]) for r in state.records()] == [
        ("00000135", "2026-03-01", "2026-03-02"),
        ("00000235", "2026-03-02", None),
    ]


def test_job_seekers_are_archived(tmp_path: Path, server: ScriptedServer) -> None:
    FakeApi(server)
    rows = [{"codeNomenclature": c, "codePeriode": "2025T4", "valeurPrincipaleNombre": 5} for c in "ABC"]
    server.script(DEMANDEURS_PATH, Reply(200, json.dumps({"listeValeursParPeriode": rows}).encode()))
    (part,) = fetch_file(*first(dataset("francetravail_marche")), settings(tmp_path))
    records = json.loads(part.path.read_bytes())
    assert len(records) == 6  # two départements, three codes
    assert {record["valeur"] for record in records} == {15}


def test_half_a_territory_is_not_archived(tmp_path: Path, server: ScriptedServer) -> None:
    api = FakeApi(server, [offer(1), offer(2, departement="22")])
    api.faults.append(lambda params: Reply(500) if params["departement"] == "35" else None)
    with pytest.raises(FetchError, match=r"offers of 35 could not be had.*HTTP 500.*put it at") as caught:
        fetch_file(*first(dataset()), settings(tmp_path))
    assert caught.value.transient
    assert not open_archive(settings(tmp_path).archive_dir).history()


def test_a_refused_key_is_an_error_not_an_absence(tmp_path: Path, server: ScriptedServer) -> None:
    FakeApi(server, [offer(1)]).faults.append(lambda params: Reply(403))
    with pytest.raises(FetchError, match="both scopes") as caught:
        fetch_all(dataset(), settings(tmp_path), lambda _: None)
    assert not isinstance(caught.value, SourceMissing)


def test_without_a_key_the_dataset_is_absent(tmp_path: Path, server: ScriptedServer) -> None:
    here = without_key(tmp_path)
    with pytest.raises(SourceMissing, match="access by key: set DQ_FRANCETRAVAIL_CLIENT_ID"):
        fetch_file(*first(dataset()), here)
    fetched = fetch_all(dataset(), here, lambda _: None)
    assert (fetched.received, [vintage.vintage for vintage in fetched.absent]) == ([], ["2026"])
    assert server.asked == []


def test_clients_are_no_part_of_a_raw_table() -> None:
    """How bytes travel changes nothing to a table: its version would otherwise move with the pace of requests."""
    found = closure("dagster_project.sources.raw", without=CARRIERS)
    assert not [module for module in found.modules if module.startswith("dagster_project.sources.clients")]


def test_a_dropped_file_needs_no_key(tmp_path: Path, server: ScriptedServer) -> None:
    here = without_key(tmp_path)
    here.inbox_dir.mkdir(parents=True)
    (here.inbox_dir / "OFFRES.json").write_bytes(b'{"resultats":[]}')
    assert fetch_file(*first(dataset()), here)[0].origin == "inbox"


def test_presence_knows_that_a_key_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "load_catalogue", lambda: {"insee_exemple": dataset()})
    assert presence.absent_vintages(settings(tmp_path)) == []
    assert [vintage.vintage for _, vintage in presence.absent_vintages(without_key(tmp_path))] == ["2026"]


def test_the_key_comes_from_the_environment_and_goes_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DQ_FRANCETRAVAIL_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("DQ_FRANCETRAVAIL_CLIENT_SECRET", CLIENT_SECRET)
    here = load_settings(home=tmp_path, sources="live")
    assert here.has_francetravail_key
    for name in ("DQ_FRANCETRAVAIL_CLIENT_ID", "DQ_FRANCETRAVAIL_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    remember(here)
    export_environment(here)
    written = repr(here) + str(here) + (tmp_path / "home.json").read_text() + "".join(os.environ.values())
    written += here.model_dump_json()
    assert CLIENT_SECRET not in written
    assert CLIENT_ID not in written
    assert not load_settings(home=tmp_path).has_francetravail_key


@pytest.mark.parametrize("missing", ["", "  ", None])
def test_half_a_key_is_no_key(tmp_path: Path, missing: str | None) -> None:
    assert not settings(tmp_path, francetravail_client_secret=missing).has_francetravail_key
