"""Debian's chromium by its path, for the tests that look at pages."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def require_chromium() -> None:
    """Skip with the reason where there is none; the gate fails instead."""
    if CHROMIUM.exists():
        return
    if os.environ.get("TICKTALK_REQUIRE_BROWSER"):
        pytest.fail("the gate needs chromium: apt-get install chromium")
    pytest.skip(f"needs Debian's chromium at {CHROMIUM}: apt-get install chromium")


@contextmanager
def launched() -> Iterator[Browser]:
    """Yield a headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
