"""A chat page in Debian's chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import launched, require_chromium
from tests.sandbox.page_stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_chromium()
    with launched() as started:
        yield started


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="ko-KR", timezone_id="Asia/Seoul"
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if _is_bad(message) else None)
    page.on("request", lambda request: troubles.append(request.url) if _is_far(request) else None)
    yield page
    context.close()
    assert troubles == []


def _is_bad(message: Any) -> bool:
    # a connection that a test cuts on purpose is reported as an error, too
    return message.type == "error" and "ERR_CONNECTION" not in message.text


def _is_far(request: Any) -> bool:
    return not request.url.startswith("http://127.0.0.1:")
