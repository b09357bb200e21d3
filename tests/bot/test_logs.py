from __future__ import annotations

import logging

from bot.logs import HIDDEN, ErrorCount, Redact, redact

TOKEN = "7000000001:" + "AbCdEfGhIj" * 3 + "KlMno"


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
