"""TomTom's matrices, from a server that misbehaves: nothing is lost in silence, and the key is never seen."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dagster_project.routing.roads.engine import EngineError, LonLat
from dagster_project.routing.roads.tomtom import SYNC_CELLS, TomTom
from dagster_project.settings import Settings, export_environment, remember
from dagster_project.sources import http_policy
from tests.http_server import Asked, Reply, ScriptedServer

KEY = "s3cr3t-cl3f"
SYNC, JOBS = "/routing/matrix/2", "/routing/matrix/2/async"
Cell = Callable[[float, float], dict]


def points(count: int, lon: float = 0.0) -> LonLat:
    return np.column_stack([np.full(count, lon), np.arange(count, dtype=float)])


def summary(origin: float, destination: float) -> dict:
    return {"routeSummary": {"travelTimeInSeconds": 60 + origin * 100 + destination, "lengthInMeters": 5}}


def matrix(asked: Asked, cell: Cell = summary) -> Reply:
    """Cells computed from latitudes, last ones first: order is not promised."""
    body = json.loads(asked.body)
    data = [
        {"originIndex": i, "destinationIndex": j} | cell(one["point"]["latitude"], other["point"]["latitude"])
        for i, one in enumerate(body["origins"])
        for j, other in enumerate(body["destinations"])
    ]
    return Reply(body=json.dumps({"data": data[::-1]}).encode())


def answer(status: int, content: dict, **headers: str) -> Reply:
    return Reply(status, json.dumps(content).encode(), headers)


def refusal(status: int, code: str) -> Reply:
    return answer(status, {"detailedError": {"code": code, "message": f"refused, key={KEY}"}})


def truth(n: int, m: int) -> np.ndarray:
    return 60 + np.arange(n)[:, None] * 100.0 + np.arange(m)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def set_up(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, tomtom_key=KEY, backoff_factor=0, max_retries=2, read_timeout_s=5)


@pytest.fixture
def engine(server: ScriptedServer, set_up: Settings) -> TomTom:
    return TomTom(set_up, address=server.address, poll_s=0, max_polls=5)


@pytest.fixture(autouse=True)
def _key_never_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert KEY not in caplog.text


def test_a_small_matrix_is_asked_in_calls_of_few_cells(server: ScriptedServer, engine: TomTom) -> None:
    server.script(SYNC, matrix)
    found = engine.matrix(points(30), points(45), "voiture")
    assert np.array_equal(found.seconds, truth(30, 45))
    assert (found.metres == 5).all()
    bodies = [json.loads(asked.body) for asked in server.asked]
    assert max(len(body["origins"]) * len(body["destinations"]) for body in bodies) <= SYNC_CELLS
    assert bodies[0]["options"] == {
        "departAt": "any", "routeType": "fastest", "travelMode": "car", "traffic": "historical",
    }  # fmt: skip
    assert {(asked.method, asked.path) for asked in server.asked} == {("POST", f"{SYNC}?key={KEY}")}


def test_a_cell_may_fail_alone(server: ScriptedServer, engine: TomTom, caplog: pytest.LogCaptureFixture) -> None:
    def one_fails(origin: float, destination: float) -> dict:
        failed = {"detailedError": {"code": "NO_ROUTE_FOUND", "message": "none"}}
        return failed if (origin, destination) == (1, 2) else summary(origin, destination)

    server.script(SYNC, lambda asked: matrix(asked, one_fails))
    found = engine.matrix(points(3), points(3), "marche")
    assert np.argwhere(np.isnan(found.seconds)).tolist() == [[1, 2]]
    assert (found.unreachable, found.refused) == (1, 1)
    assert "NO_ROUTE_FOUND" in caplog.text


def test_cells_that_do_not_come_are_counted(server: ScriptedServer, engine: TomTom) -> None:
    def halved(asked: Asked) -> Reply:
        content = json.loads(matrix(asked).body)
        return answer(200, {"data": content["data"][:4]})

    server.script(SYNC, halved)
    found = engine.matrix(points(3), points(3), "voiture")
    assert (found.unreachable, found.refused) == (5, 5)


def test_too_wide_a_matrix_is_cut_until_it_is_not(server: ScriptedServer, engine: TomTom) -> None:
    def within(asked: Asked) -> Reply:
        body = json.loads(asked.body)
        lons = [place["point"]["longitude"] for place in body["origins"] + body["destinations"]]
        return refusal(400, "OUT_OF_REGION") if max(lons) - min(lons) > 4 else matrix(asked)

    server.script(SYNC, within)
    one = np.concatenate([points(3), points(1, lon=9.0)])
    found = engine.matrix(one, points(4), "voiture")
    assert np.array_equal(found.seconds[:3], truth(3, 4))
    assert np.isnan(found.seconds[3]).all()
    assert found.refused == 4


def test_asked_to_wait_it_waits_as_long_as_asked(
    server: ScriptedServer, engine: TomTom, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(http_policy, "_sleep", waits.append)
    server.script(SYNC, Reply(429, b"slower", {"Retry-After": "7"}), Reply(503), matrix)
    assert np.array_equal(engine.matrix(points(1), points(2), "voiture").seconds, truth(1, 2))
    assert waits == [7.0]


def test_a_cut_answer_is_no_matrix(server: ScriptedServer, engine: TomTom) -> None:
    server.script(SYNC, Reply(200, b'{"data": [' + b" " * 500, cut_after=200))
    with pytest.raises(EngineError, match="tomtom"):
        engine.matrix(points(1), points(1), "voiture")


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (refusal(403, "Forbidden"), "DQ_TOMTOM_KEY"),
        (Reply(401), "DQ_TOMTOM_KEY"),
        (Reply(429), "fewer requests"),
        (Reply(500), "later"),
        (Reply(429, headers={"Retry-After": "86400"}), "asks to wait"),
        (refusal(400, "BAD_INPUT"), "BAD_INPUT"),
        (Reply(200, b"<html>"), "HTTP 200"),
        (answer(200, {}), "no matrix"),
        (answer(200, {"data": [{"originIndex": 7, "destinationIndex": 0}]}), "cell"),
        (answer(200, {"data": [{"originIndex": -1, "destinationIndex": 0}]}), "cell"),
        (answer(200, {"data": ["x"]}), "cell"),
        (answer(200, {"data": [{"originIndex": 0, "destinationIndex": 0, "routeSummary": {}}]}), "cell"),
        (Reply(302, headers={"Location": SYNC}), "redirects"),
        (Reply(302, headers={"Location": "file:///etc/hostname"}), "redirect refused"),
    ],
)
def test_what_is_no_answer_is_an_error_without_the_key(
    server: ScriptedServer, engine: TomTom, reply: Reply, message: str
) -> None:
    server.script(SYNC, reply)
    with pytest.raises(EngineError, match=message) as raised:
        engine.matrix(points(1), points(1), "voiture")
    assert KEY not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_server_that_is_not_there_is_an_error_without_the_key(set_up: Settings) -> None:
    with pytest.raises(EngineError, match="network") as raised:
        TomTom(set_up, address="http://127.0.0.1:1").matrix(points(1), points(1), "voiture")
    assert KEY not in str(raised.value)


def job(server: ScriptedServer, *states: Reply) -> None:
    """A job that passes through these answers, whose result stands behind a redirect to another place."""
    result: list[Reply] = []

    def submit(asked: Asked) -> Reply:
        result.append(matrix(asked))
        return answer(202, {"jobId": "a/1"})

    server.script(JOBS, submit)
    server.script(f"{JOBS}/a%2F1", *states)
    elsewhere = server.address.replace("127.0.0.1", "localhost")
    server.script(f"{JOBS}/a%2F1/result", Reply(303, headers={"Location": f"{elsewhere}/stored"}))
    server.script("/stored", lambda _: result.pop(0))


def test_a_large_matrix_is_a_job(server: ScriptedServer, engine: TomTom) -> None:
    going_on = [answer(200, {"state": state}) for state in ("Submitted", "InProgress", "Completed")]
    job(server, *going_on)
    found = engine.matrix(points(50), points(50), "voiture")
    assert np.array_equal(found.seconds, truth(50, 50))
    stored = server.requests("/stored")
    assert [asked.method for asked in stored] == ["GET"]  # without the key, which is for the service alone
    assert len(server.requests(f"{JOBS}?key={KEY}")) == 1


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (answer(200, {"state": "Failed", "detailedError": {"code": "INTERNAL"}}), "Failed.*INTERNAL"),
        (answer(200, {"state": "InProgress"}), "not done after 5"),
        (answer(200, {}), "None"),
        (Reply(404), "HTTP 404"),
    ],
)
def test_a_job_that_does_not_end_well_is_an_error(
    server: ScriptedServer, engine: TomTom, state: Reply, message: str
) -> None:
    job(server, state)
    with pytest.raises(EngineError, match=message):
        engine.matrix(points(50), points(50), "voiture")


def test_a_job_without_a_number_is_an_error(server: ScriptedServer, engine: TomTom) -> None:
    server.script(JOBS, answer(202, {}))
    with pytest.raises(EngineError, match="jobId"):
        engine.matrix(points(50), points(50), "voiture")


def test_there_is_no_matrix_for_bicycles(engine: TomTom) -> None:
    with pytest.raises(EngineError, match="velo"):
        engine.matrix(points(1), points(1), "velo")


def test_the_key_is_written_nowhere(set_up: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr("dagster_project.settings.os.environ", environment)
    remember(set_up)
    export_environment(set_up)
    assert KEY not in repr(set_up) + str(environment) + set_up.model_dump_json()
    assert all(KEY not in path.read_text() for path in set_up.home.rglob("*") if path.is_file())
