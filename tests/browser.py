"""Pages opened in a real browser without network, and all that they asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass
class Visit:
    """An open page, the addresses that it asked for beyond files, and what it complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: Path) -> Page:
        self.page.goto(path.as_uri())
        return self.page


@contextmanager
def offline_browser() -> Iterator[Visit]:
    """Chromium without network; the test is skipped where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: install it to run this test")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        visit = Visit(browser.new_context(offline=True, viewport={"width": 1200, "height": 900}).new_page())
        visit.page.on("request", lambda request: _note(visit, request.url))
        visit.page.on("console", lambda message: visit.errors.append(message.text))
        visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
        yield visit
        browser.close()


def _note(visit: Visit, url: str) -> None:
    if not url.startswith(("file:", "data:")):
        visit.asked.append(url)
