"""What a failed run leaves: a report on disk, and a call to a real webhook that may itself fail."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dagster_project.release.failures import report_failure
from dagster_project.settings import Settings

STEPS = [{"step": "raw__insee_demo", "error": "DEMO_2021.csv ligne 3 : octet illisible"}]


class Webhook(ThreadingHTTPServer):
    """A webhook on 127.0.0.1 that keeps what it is told and answers `status`."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.hang = status, False
        self.received: list[tuple[str, str, Any]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks?token=secret-jeton"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Content-Type"], json.loads(body)))
        if self.server.hang:
            self.server.released.wait()
            return
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of the base class
        """Keep test output quiet."""


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def report(settings: Settings, run_id: str = "run-1") -> dict[str, Any]:
    path = report_failure(settings, run_id=run_id, job="nightly", message="run failed", steps=STEPS)
    assert path == settings.reports_dir / "failures" / f"{run_id}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_the_report_says_what_failed_and_what_stands(settings: Settings) -> None:
    content = report(settings.model_copy(update={"territory": "west"}))
    assert datetime.fromisoformat(content.pop("failed_at")).tzinfo is not None
    assert content == {
        "run_id": "run-1",
        "job": "nightly",
        "message": "run failed",
        "steps": STEPS,
        "sources": "demo",
        "territory": "west",
        "current_release_unchanged": True,
    }


def test_the_report_is_readable_text(settings: Settings) -> None:
    report(settings)
    text = (settings.reports_dir / "failures" / "run-1.json").read_text(encoding="utf-8")
    assert "ligne 3 : octet illisible" in text
    assert text.endswith("}\n")


def test_each_run_has_its_report(settings: Settings) -> None:
    report(settings, "run-1")
    report(settings, "run-2")
    assert {path.name for path in (settings.reports_dir / "failures").iterdir()} == {"run-1.json", "run-2.json"}


def test_the_webhook_receives_the_same_json(settings: Settings, webhook: Webhook) -> None:
    content = report(settings.model_copy(update={"webhook_url": webhook.url}))
    assert webhook.received == [("/hooks?token=secret-jeton", "application/json", content)]


def test_no_webhook_no_call(settings: Settings, webhook: Webhook) -> None:
    report(settings)
    assert webhook.received == []


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_webhook_that_refuses_is_logged_without_its_address(
    settings: Settings, webhook: Webhook, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    webhook.status = status
    with caplog.at_level(logging.WARNING):
        assert report(settings.model_copy(update={"webhook_url": webhook.url}))["steps"] == STEPS
    assert "DQ_WEBHOOK_URL" in caplog.text
    assert "HTTPError" in caplog.text
    assert "secret-jeton" not in caplog.text


def test_a_webhook_that_is_not_there_is_logged_without_its_address(
    settings: Settings, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    url = webhook.url
    webhook.server_close()
    with caplog.at_level(logging.WARNING):
        report(settings.model_copy(update={"webhook_url": url}))
    assert "ConnectionError" in caplog.text
    assert "secret-jeton" not in caplog.text


def test_a_webhook_that_never_answers_does_not_hold_the_run(
    settings: Settings, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.hang = True
    with caplog.at_level(logging.WARNING):
        report(settings.model_copy(update={"webhook_url": webhook.url, "read_timeout_s": 0.05}))
    assert "ReadTimeout" in caplog.text


@pytest.mark.parametrize("url", ["pas une adresse", "http://", "ftp://127.0.0.1/x"])
def test_a_webhook_that_is_no_address_is_logged(settings: Settings, caplog: pytest.LogCaptureFixture, url: str) -> None:
    with caplog.at_level(logging.WARNING):
        report(settings.model_copy(update={"webhook_url": url}))
    assert "did not take the report" in caplog.text
