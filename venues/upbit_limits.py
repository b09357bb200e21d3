"""How Upbit says that it has been asked often enough."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_LEFT = re.compile(r"(?:^|;)\s*sec=(\d+)")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:sec|초)", re.IGNORECASE)
_SHORTEST_BLOCK_SECONDS = 60.0


def rest_seconds(answer: httpx.Response) -> float | None:
    """Return for how long Upbit is to be left alone after an answer.

    `Remaining-Req: group=candles; min=600; sec=0` says that this second's requests are used up,
    429 the same; 418 shuts an address out for as long as its body says (docs.upbit.com, 2026-09).
    """
    if answer.status_code == 418:
        told = _SECONDS.search(answer.text)
        return _SHORTEST_BLOCK_SECONDS if told is None else float(told[1])
    left = _LEFT.search(answer.headers.get("Remaining-Req", ""))
    if answer.status_code == 429 or (left is not None and int(left[1]) == 0):
        return 1.0
    return None
