"""Asking in a second way where the first has changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from market.errors import SourceChanged, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def either_way(
    what: str, first: Callable[[], Awaitable[T]], second: Callable[[], Awaitable[T]]
) -> T:
    """Return what the first way tells or, where that has changed, what the second one does.

    A first way that is only unavailable is not a reason to ask elsewhere: that raises at once. If
    both fail, the error is of the second's sort and names both.
    """
    try:
        return await first()
    except SourceChanged as error:
        changed = error
    _log.warning("%s: the first way has changed, taking the second one: %s", what, changed)
    try:
        return await second()
    except (SourceChanged, SourceUnavailable) as error:
        kind = SourceChanged if isinstance(error, SourceChanged) else SourceUnavailable
        raise kind(f"{what}: {changed}; and in the second way: {error}") from changed
