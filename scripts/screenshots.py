"""Take the screenshots of docs/images from a home (`DQ_HOME`) whose run has ended: python scripts/screenshots.py.

It starts a Dagster web server of its own on a free port of this machine, looks at it with Chromium, and stops it.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote

from playwright.sync_api import Page, ViewportSize, sync_playwright

from dagster_project.audit.release_folder import current_release
from dagster_project.runner import prepare_home
from dagster_project.settings import PROJECT_ROOT, load_settings

VIEWPORT = ViewportSize(width=1400, height=840)
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MAX_BYTES = 1_000_000  # of all pictures together
START_TIMEOUT_S = 120
LOOK_EVERY_S = 2.5  # a little more than the page's own polling: states come after layouts
LOOKS = 20
# Every table between a source and a mart, in Dagster's selection syntax.
ONE_WAY = 'key:"raw/insee_revn"+ and +key:"marts/mart_revenus"'


@contextmanager
def web_server() -> Iterator[str]:
    """Address of a Dagster web server that reads `DAGSTER_HOME`, up for the duration of the block."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = str(Path(sys.executable).parent / "dagster-webserver")
    place = ["-h", "127.0.0.1", "-p", str(port), "-w", str(PROJECT_ROOT / "workspace.yaml")]
    with subprocess.Popen([command, *place], cwd=PROJECT_ROOT) as server:
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/server_info", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)  # it stops its own code server


def _wait_until_up(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (our own server, http on the loopback)
                return
        except (URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"the web server did not answer at {url} within {START_TIMEOUT_S} s")


def _whole_graph(page: Page) -> None:
    """The list of groups stays: it spells the names that the graph shortens."""
    page.get_by_text("Hide navigation").click()
    page.reload()  # the graph fits its place when it is drawn
    page.get_by_text("sources_insee").first.wait_for()


def _one_way(page: Page) -> None:
    page.get_by_text("Hide navigation").click()
    # The button beside « Jump to… » closes the list of assets.
    field = page.get_by_placeholder("Jump to").bounding_box()
    if field is None:
        raise SystemExit("the list of assets is not where it was: this version of Dagster has another page")
    page.mouse.click(field["x"] + field["width"] + 24, field["y"] + field["height"] / 2)
    page.mouse.click(VIEWPORT["width"] / 2, VIEWPORT["height"] * 0.8, button="right")
    # Both the visible item and its icon's label match; the last one receives clicks.
    page.get_by_role("menuitem", name="Expand all groups").last.click(force=True)


def _checks(page: Page) -> None:
    page.get_by_text("Latest execution").first.wait_for()
    page.get_by_text("Show schema").first.wait_for()


def _asset(page: Page) -> None:
    page.get_by_text("Latest materialization").first.wait_for()
    page.get_by_text("Column name").first.wait_for()


def _report(page: Page) -> None:
    page.get_by_role("heading", name="Rapport de qualité").wait_for()


def _settle(page: Page) -> bytes:
    """The picture, once two looks in a row are the same: layouts are computed in the background."""
    before = page.screenshot(animations="disabled")
    for _ in range(LOOKS):
        page.wait_for_timeout(LOOK_EVERY_S * 1000)
        now = page.screenshot(animations="disabled")
        if now == before:
            return now
        before = now
    raise SystemExit(f"{page.url} never stood still")


def take(folder: Path) -> None:
    """Write every picture to `folder`."""
    settings = load_settings()
    release = current_release(settings)
    if release is None:
        raise SystemExit(f"{settings.home} has no release: run `dq run` there first, or set DQ_HOME")
    prepare_home(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with web_server() as server, sync_playwright() as playwright:
        pictures: dict[str, tuple[str, Callable[[Page], None]]] = {
            "graph": (f"{server}/asset-groups", _whole_graph),
            "lineage": (f"{server}/asset-groups~{quote(ONE_WAY, safe='')}/", _one_way),
            "source": (f"{server}/assets/raw/insee_revn?view=overview", _asset),
            "source-checks": (f"{server}/assets/raw/insee_demo?view=checks&checkDetail=attentes_alertes", _checks),
            "checks": (f"{server}/assets/marts/indicator_value?view=checks&checkDetail=attentes_critiques", _checks),
            "quality-report": ((release.path / "qualite.html").as_uri(), _report),
        }
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_ARGUMENTS)
        for name, (address, ready) in pictures.items():
            page = browser.new_context(viewport=VIEWPORT, timezone_id="Europe/Paris").new_page()
            page.goto(address)
            ready(page)
            page.mouse.move(VIEWPORT["width"] - 5, VIEWPORT["height"] - 5)
            picture = _settle(page)
            (folder / f"{name}.png").write_bytes(picture)
        browser.close()
    size = sum((folder / f"{name}.png").stat().st_size for name in pictures)
    if size > MAX_BYTES:
        raise SystemExit(f"the pictures take {size} bytes, more than {MAX_BYTES}: make VIEWPORT smaller")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Screenshots of the Dagster UI and of the quality report.")
    parser.add_argument("folder", nargs="?", type=Path, default=PROJECT_ROOT / "docs" / "images")
    take(parser.parse_args().folder)
