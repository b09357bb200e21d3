"""What the console shows: short lines, and never a secret."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import TYPE_CHECKING, TypeAlias

from rich.logging import RichHandler

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    _Fault: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]

_TOKEN = re.compile(r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}")
"""A Telegram bot token: the bot's id, a colon, 35 characters (Bot API, "Authorizing your bot")."""

HIDDEN = "[hidden]"


class Redact(logging.Formatter):
    """Formats a record and hides everything that looks like a token or is a known secret."""

    def __init__(self, fmt: str, secrets: Iterable[str]) -> None:
        super().__init__(fmt)
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        """Return the line with its traceback, without secrets."""
        return redact(super().format(record), self._secrets)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every known secret and every bot token hidden."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _TOKEN.sub(HIDDEN, text)


class ErrorCount(logging.Handler):
    """Counts errors and keeps the last texts, so that an unattended run can answer for them."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Remember one error."""
        self.messages.append(f"{record.name}: {record.getMessage()}")


def set_up(
    *, secrets: Iterable[str] = (), is_plain: bool = False, level: int = logging.INFO
) -> None:
    """Send the project's log to stderr: coloured on a terminal, plain under a service manager.

    httpx logs every address at INFO, and Telegram's holds the token, so it stays at WARNING. What
    the Telegram library and stamina log beside the errors they raise would say everything twice.
    An error that ends the process is shown without secrets too.
    """
    known = list(secrets)
    handler: logging.Handler
    if is_plain:
        handler = logging.StreamHandler()
        handler.setFormatter(Redact("%(asctime)s %(levelname)s %(name)s: %(message)s", known))
    else:
        from rich.console import Console  # noqa: PLC0415  # only here is a terminal needed

        handler = RichHandler(console=Console(stderr=True), show_path=False, rich_tracebacks=False)
        handler.setFormatter(Redact("%(message)s", known))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (
        "httpx",
        "httpcore",
        "apscheduler",
        "uvicorn",
        "asyncio",
        "matplotlib",
        "websockets",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for needless in ("telegram", "stamina"):
        logging.getLogger(needless).setLevel(logging.CRITICAL)
    sys.excepthook = lambda *error: _show_fault(error, known)


def _show_fault(error: _Fault, secrets: Iterable[str]) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(*error)), secrets))
