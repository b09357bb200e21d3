from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest

from bot.logs import HIDDEN, ErrorCount, Redact, redact, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "7000000001:" + "AbCdEfGhIj" * 3 + "KlMno"


SHORT = "1:short"
"""A secret that does not look like a token."""


@pytest.fixture
def _process() -> Iterator[None]:
    """Take back what `set_up` does to the process."""
    hook, root = sys.excepthook, logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    sys.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)


def fail(error: Exception) -> None:
    raise error


def record(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("bot", logging.INFO, __file__, 1, text, args, None)


def test_a_bot_token_is_hidden_wherever_it_stands() -> None:
    assert redact(f"GET https://host/bot{TOKEN}/getMe", ()) == f"GET https://host/bot{HIDDEN}/getMe"


def test_a_known_secret_is_hidden_even_if_it_looks_like_a_word() -> None:
    assert redact("key is hunter2!", ["hunter2"]) == f"key is {HIDDEN}!"


def test_a_formatted_record_hides_its_arguments() -> None:
    line = Redact("%(message)s", []).format(record("asking %s", f"bot{TOKEN}"))
    assert TOKEN not in line


def test_a_traceback_is_hidden_too() -> None:
    error = RuntimeError(f"https://host/bot{TOKEN}/x")
    failed = record("failed")
    failed.exc_info = (type(error), error, error.__traceback__)
    assert TOKEN not in Redact("%(message)s", []).format(failed)


def test_errors_are_counted_and_warnings_are_not() -> None:
    count = ErrorCount()
    log = logging.Logger("x")
    log.addHandler(count)
    log.warning("only a warning")
    log.error("an error of %s", "mine")
    assert count.messages == ["x: an error of mine"]


@pytest.mark.parametrize("is_plain", [True, False])
@pytest.mark.usefixtures("_process")
def test_the_console_shows_no_secret(capsys: pytest.CaptureFixture[str], is_plain: bool) -> None:
    set_up(secrets=iter([SHORT]), is_plain=is_plain)
    logger = logging.getLogger("bot.x")
    try:
        fail(RuntimeError(f"/bot{SHORT}/getMe"))
    except RuntimeError:
        logger.exception("asking /bot%s/getMe failed", TOKEN)
    logger.warning("again /bot%s/getMe", SHORT)
    shown = "".join(capsys.readouterr())
    assert "RuntimeError" in shown
    assert shown.count(HIDDEN) == 3
    assert TOKEN not in shown
    assert SHORT not in shown


@pytest.mark.usefixtures("_process")
def test_a_fault_that_ends_the_process_shows_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(secrets=[SHORT], is_plain=True)
    try:
        try:
            fail(ValueError(f"https://host/bot{TOKEN}/x"))
        except ValueError as error:
            raise RuntimeError(f"/bot{SHORT}/y") from error
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "RuntimeError" in shown
    assert TOKEN not in shown
    assert SHORT not in shown


@pytest.mark.usefixtures("_process")
def test_libraries_say_nothing_that_we_say_ourselves(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(is_plain=True)
    logging.getLogger("httpx").info("GET /bot1:x/getMe")
    logging.getLogger("telegram.request").error("Can not load invalid JSON data")
    logging.getLogger("stamina").warning("retry_scheduled")
    assert "".join(capsys.readouterr()) == ""
