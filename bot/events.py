"""The log of facts: one JSON object a line, counted by kind."""

from __future__ import annotations

import json
import logging
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from bot.logs import redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from market.clock import Clock

logger = logging.getLogger(__name__)


class EventLog:
    """Counts facts, and writes each to `stream` (`--json-log`) when there is one.

    What is in `secrets` or looks like a bot token is hidden, wherever it comes from.
    A log that cannot be written (a full disk) is told once and never stops the bot.
    """

    def __init__(
        self, clock: Clock, stream: BinaryIO | None = None, secrets: Sequence[str] = ()
    ) -> None:
        self._clock = clock
        self._stream = stream
        self._secrets = secrets
        self.counts: Counter[str] = Counter()

    def emit(self, kind: str, **facts: object) -> None:
        """Record a fact; never raises."""
        self.counts[kind] += 1
        if self._stream is None:
            return
        line = {"at": self._clock.now(), "event": kind, **facts}
        try:
            self._stream.write(redact(_as_json(line), self._secrets).encode() + b"\n")
            self._stream.flush()
        except OSError as error:
            logger.error("the JSON log cannot be written, going on without it: %s", error)  # noqa: TRY400  # the text says it all
            self._stream = None


def _as_json(line: dict[str, object]) -> str:
    try:
        return orjson.dumps(line, default=_plain).decode()
    except TypeError:  # half an emoji in somebody's words, a number of more than 64 bits
        return json.dumps(line, default=_plain)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
