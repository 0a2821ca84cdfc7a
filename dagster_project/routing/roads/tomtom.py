"""TomTom's Matrix v2: times with observed traffic, from a service that wants a key.

Small matrices are asked in calls of a few cells, large ones as jobs: submitted, looked at until they are done,
fetched. A cell may fail alone; it is then unreachable, and counted. The terms of the service say whether times may be
stored or published: read them before doing either.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin

import numpy as np
import requests
from urllib3.exceptions import HTTPError

from dagster_project.routing.roads.engine import Block, EngineError, LonLat, Matrix, Mode, checked, in_blocks, in_halves
from dagster_project.settings import Settings
from dagster_project.sources import http_policy as policy
from dagster_project.sources.http_policy import FetchError, open_session
from dagster_project.sources.redaction import redact

_log = logging.getLogger(__name__)

ADDRESS = "https://api.tomtom.com"
SYNC_CELLS = 200  # of one call, under the plans that anyone can have
JOB_CELLS = 250_000  # of one job; the service takes more, answers then take memory
POLL_S = 5.0
MAX_POLLS = 720
MAX_REDIRECTS = 5
TRAVEL = {"voiture": "car", "marche": "pedestrian"}
OUT_OF_REGION = "OUT_OF_REGION"
GOING_ON = ("Submitted", "InProgress")


class TomTom:
    """TomTom's Matrix v2.

    Args:
        settings: `tomtom_key`, time-outs and retries.
        address: of the service.
        sync_cells: largest call; a matrix of more than `jobs_from` cells is submitted as jobs.
        jobs_from: number of cells from which jobs are used.
        job_cells: largest job.
        poll_s: pause between two looks at a job.
        max_polls: looks after which a job is given up.

    Raises:
        EngineError: no key.
    """

    name = "tomtom"
    version = "matrix/2"

    def __init__(
        self,
        settings: Settings,
        *,
        address: str = ADDRESS,
        sync_cells: int = SYNC_CELLS,
        jobs_from: int = 10 * SYNC_CELLS,
        job_cells: int = JOB_CELLS,
        poll_s: float = POLL_S,
        max_polls: int = MAX_POLLS,
    ) -> None:
        if settings.tomtom_key is None:
            raise EngineError("road_engine=tomtom needs a key: set DQ_TOMTOM_KEY")
        self.settings, self.key = settings, settings.tomtom_key
        self.address = address
        self._sync_cells, self._jobs_from, self._job_cells = sync_cells, jobs_from, job_cells
        self.poll_s, self.max_polls = poll_s, max_polls

    def matrix(self, origins: LonLat, destinations: LonLat, mode: Mode) -> Matrix:
        origins, destinations = checked(origins), checked(destinations)
        if mode not in TRAVEL:
            raise EngineError(f"tomtom has no matrix for {mode}: use road_engine=valhalla or osrm for this mode")
        n, m = len(origins), len(destinations)
        jobs = n * m > self._jobs_from
        cells = self._job_cells if jobs else self._sync_cells
        columns = max(1, min(m, cells))
        failures: Counter[str] = Counter()
        with open_session(self.settings, ("GET", "POST")) as session:
            call = _Call(self, session, mode, jobs, failures)
            seconds, metres = in_blocks(
                n, m, (max(1, cells // columns), columns), lambda i, j: call.block(origins[i], destinations[j])
            )
        if failures:
            _log.warning("tomtom: cells without an answer: %s", dict(sorted(failures.items())))
        none = np.zeros(n, bool), np.zeros(m, bool)
        return Matrix(seconds, metres, *none, refused=failures.total())


class _Call:
    """The calls of one matrix."""

    def __init__(
        self, engine: TomTom, session: requests.Session, mode: Mode, jobs: bool, failures: Counter[str]
    ) -> None:
        self._engine, self._session, self._jobs, self._failures = engine, session, jobs, failures
        self._options = {"departAt": "any", "routeType": "fastest", "travelMode": TRAVEL[mode]}
        if mode == "voiture":
            self._options["traffic"] = "historical"

    def block(self, origins: LonLat, destinations: LonLat) -> Block:
        """A block of the matrix; one wider than the service allows is cut until it is not."""
        body = {"origins": _points(origins), "destinations": _points(destinations), "options": self._options}
        answer = self._job(body) if self._jobs else self._json(self._send("POST", "/routing/matrix/2", body))
        if _code(answer) != OUT_OF_REGION:
            return self._cells(answer, (len(origins), len(destinations)))
        if len(origins) == len(destinations) == 1:
            self._failures[OUT_OF_REGION] += 1
        return in_halves(origins, destinations, self.block)

    def _cells(self, answer: Mapping[str, Any], shape: tuple[int, int]) -> Block:
        seconds, metres = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        if not isinstance(answer.get("data"), list):
            raise self._error(f"no matrix in the answer ({_code(answer) or 'no reason given'})")
        answered = np.zeros(shape, bool)
        for cell in answer["data"]:
            try:
                place = int(cell["originIndex"]), int(cell["destinationIndex"])
                if min(place) < 0:
                    raise IndexError(place)  # noqa: TRY301  Python would count from the end
                answered[place] = True
                if (summary := cell.get("routeSummary")) is not None:
                    seconds[place] = float(summary["travelTimeInSeconds"])
                    metres[place] = float(summary["lengthInMeters"])
                else:
                    self._failures[_code(cell) or "NO_REASON"] += 1
            except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                raise self._error(f"a cell of the answer cannot be read ({error!r}): {str(cell)[:200]}") from None
        if missing := int(np.count_nonzero(~answered)):
            self._failures["MISSING"] += missing
        return seconds, metres

    def _job(self, body: dict[str, Any]) -> Mapping[str, Any]:
        """Submit a job, wait for it, fetch its result."""
        submitted = self._json(self._send("POST", "/routing/matrix/2/async", body))
        if _code(submitted):
            return submitted
        if not isinstance(job := submitted.get("jobId"), str):
            raise self._error("a job was accepted without a jobId")
        for _ in range(self._engine.max_polls):
            status = self._json(self._send("GET", f"/routing/matrix/2/async/{quote(job, safe='')}"))
            if status.get("state") == "Completed":
                return self._json(self._send("GET", f"/routing/matrix/2/async/{quote(job, safe='')}/result"))
            if status.get("state") not in GOING_ON:
                raise self._error(f"job {job} ended as {status.get('state')!r} ({_code(status) or 'no reason given'})")
            policy.wait(self._engine.poll_s)
        raise self._error(f"job {job} is not done after {self._engine.max_polls} looks; run again later")

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """One call, its redirects followed; the key goes to the service alone."""
        settings = self._engine.settings
        url, keyed = self._engine.address + path, {"key": self._engine.key.get_secret_value()}
        for _ in range(MAX_REDIRECTS + 1):
            try:
                response = self._session.request(
                    method, url, params=keyed, json=body, timeout=(settings.connect_timeout_s, settings.read_timeout_s)
                )
            # `from None`: the original messages hold the address with its key
            except FetchError as error:
                raise self._error(str(error)) from None
            except (requests.RequestException, HTTPError) as error:
                raise self._error(f"{policy.plain(error)}; check the network, or run again later") from None
            if not response.is_redirect:
                return response
            target = urljoin(url, response.headers["location"])
            if refusal := policy.redirect_refusal(url, target):
                raise self._error(f"redirect refused: {refusal}")
            keyed = keyed if target.startswith(f"{self._engine.address}/") else {}
            url, method, body = target, "GET", None
        raise self._error(f"more than {MAX_REDIRECTS} redirects")

    def _json(self, response: requests.Response) -> Mapping[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.ok and isinstance(answer, dict):
            return answer
        if isinstance(answer, dict) and _code(answer) == OUT_OF_REGION:
            return answer
        reason = _code(answer) if isinstance(answer, dict) else ""
        advice = {
            401: "the key is refused: check DQ_TOMTOM_KEY",
            403: "the key is refused, or its plan does not hold this service: check DQ_TOMTOM_KEY",
            429: "the service asks for fewer requests: run again later",
        }.get(response.status_code, "run again later" if response.status_code in policy.TRY_AGAIN else "not a matrix")
        raise self._error(f"HTTP {response.status_code} {reason}".rstrip() + f"; {advice}")

    def _error(self, message: str) -> EngineError:
        return EngineError("tomtom: " + redact(message).replace(self._engine.key.get_secret_value(), "***"))


def _points(points: LonLat) -> list[dict[str, dict[str, float]]]:
    return [{"point": {"latitude": lat, "longitude": lon}} for lon, lat in points.tolist()]


def _code(answer: Mapping[str, Any]) -> str:
    """The code of an error, of an answer or of a cell; empty where there is none."""
    error = answer.get("detailedError")
    return str(error.get("code", "")) if isinstance(error, dict) else ""
