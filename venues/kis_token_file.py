"""Where the tokens of KIS lie between processes: one private file, one lock, whole writes."""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from market.errors import SourceError, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.1
LONGEST_LOCK_SECONDS = 30.0
"""Whoever holds the lock asks KIS once, which cannot take so long."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token or an approval key, and how long it lives; its text is in no repr."""

    value: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for one app key; `asked_at` is when a token was last asked for."""

    token: Issued | None = None
    approval: Issued | None = None
    asked_at: datetime | None = None


class TokenFile:
    """The file of one app key's tokens (`owner` names the key without telling it).

    Other owners' entries are left as they are. Every failure of the disk is a SourceError that
    says how to mend it.
    """

    def __init__(self, path: Path, owner: str, pause: Callable[[float], Awaitable[None]]) -> None:
        self._path = path
        self._owner = owner
        self._pause = pause

    def read(self) -> Kept:
        """Return what is kept; nothing where there is no file yet or it cannot be understood."""
        try:
            return _kept(self._entries().get(self._owner))
        except (KeyError, TypeError, ValueError):
            logger.warning("%s: an entry that cannot be read is asked for anew", self._path)
            return Kept()

    def write(self, **changes: Issued | datetime | None) -> None:
        """Change what is kept; only who holds the lock may."""
        kept = replace(self.read(), **changes)  # type: ignore[arg-type]  # fields are checked there
        entries = {**self._entries(), self._owner: asdict(kept)}
        with self._mending():
            scratch = f"{self._path}.new"
            descriptor = os.open(
                scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)
                file.write(orjson.dumps(entries))
            os.replace(scratch, self._path)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the lock that all processes share; SourceUnavailable where another keeps it."""
        with self._mending():
            descriptor = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await self._take(descriptor)
            yield
        finally:
            os.close(descriptor)

    async def _take(self, descriptor: int) -> None:
        waited = 0.0
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if waited >= LONGEST_LOCK_SECONDS:
                    raise SourceUnavailable(
                        f"kis: another process has kept {self._path}.lock for {waited:.0f} s"
                    ) from error
            else:
                return
            await self._pause(LOOK_AGAIN_SECONDS)
            waited += LOOK_AGAIN_SECONDS

    def _entries(self) -> dict[str, Any]:
        with self._mending():
            try:
                found = orjson.loads(self._path.read_bytes())
            except FileNotFoundError:
                return {}
            except orjson.JSONDecodeError:
                logger.warning("%s is not what ticktalk wrote; it is written anew", self._path)
                return {}
        return found if isinstance(found, dict) else {}

    @contextmanager
    def _mending(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceError(
                f"kis: cannot keep the access token in {self._path} ({error.strerror}): make its"
                " folder and let ticktalk write there, or set kis.token_path to another place"
            ) from error


def _kept(entry: Any) -> Kept:
    if entry is None:
        return Kept()
    asked_at = entry["asked_at"]
    return Kept(
        _issued(entry["token"]),
        _issued(entry["approval"]),
        None if asked_at is None else _moment(asked_at),
    )


def _issued(entry: Any) -> Issued | None:
    if entry is None:
        return None
    return Issued(str(entry["value"]), _moment(entry["issued_at"]), _moment(entry["expires_at"]))


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at
