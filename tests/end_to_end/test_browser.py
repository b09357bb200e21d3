"""A newcomer's first minute: the chat page in a real browser, Confirm, and the fill."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.chromium import launched, require_chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE_MS = 60_000
SCREENSHOT = os.environ.get("TICKTALK_SCREENSHOT")
"""Where to keep the picture, to look at it or to renew the one in the README."""


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Run the demo at its usual speed and yield its address."""
    command = "from bot.cli import main; main()"
    process = subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-u", "-c", command, "demo", "--no-open", "--port", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                yield found[0]
                break
        else:
            pytest.fail("the demo ended without an address")
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(timeout=20) == 0, "the demo did not stop in order"


@pytest.mark.browser
def test_a_newcomer_confirms_and_sees_the_fill(tmp_path: Path) -> None:
    require_chromium()
    with demo(tmp_path) as address, launched() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.goto(address)
        confirm = page.locator('[data-callback^="oc:"]').first
        confirm.wait_for(timeout=MINUTE_MS)
        card = page.locator("[data-message-id]", has=confirm).first
        card_id = card.get_attribute("data-message-id")
        alert = page.locator("[data-message-id] img").first
        expect(alert).to_be_visible()
        assert alert.evaluate("image => image.naturalWidth") > 300, "the chart has not loaded"
        page.screenshot(path=tmp_path / "card.png")
        confirm.click()
        filled = page.locator(f'[data-message-id="{card_id}"]', has_text="체결 완료")
        filled.wait_for(timeout=MINUTE_MS)
        page.screenshot(path=Path(SCREENSHOT) if SCREENSHOT else tmp_path / "filled.png")
        page.locator('[data-chat="channel"]').first.click()
        expect(page.locator('[data-log="channel"] [data-message-id] img').first).to_be_visible()
