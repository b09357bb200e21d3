"""`unfilled` of an order: what becomes of what is left some time after it was sent."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from config.values import read_duration
from market.unfilled import Then, Unfilled

if TYPE_CHECKING:
    from config.fields import Fields

SHORTEST, LONGEST = timedelta(seconds=5), timedelta(days=1)
DEFAULT_TIMES, MOST_TIMES = 3, 20

_WORDS = re.compile(
    r"(cancel|reprice|market)\s+after\s+(.*?)(?:\s+up\s+to\s+(\d{1,9})\s+times?)?", re.ASCII
)


def read_unfilled(order: Fields, *, is_market: bool) -> Unfilled | None:
    """Read the key `unfilled` of an order; None where it is not written."""
    found = order.value("unfilled", _unfilled, None)
    if found is not None and is_market and found.then is not Then.CANCEL:
        why = {
            Then.REPRICE: "a market order has no price to change; give the order a price",
            Then.MARKET: "it is a market order already; give the order a price",
        }[found.then]
        order.problems.append(order.text("unfilled").problem(why))
    return found


def _unfilled(text: str) -> Unfilled | None:
    found = _WORDS.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"'{text}' is not understood; write cancel after 300s, reprice after 60s up to 3 times,"
            " or market after 60s"
        )
    then, after = Then(found[1]), read_duration(found[2])
    if not SHORTEST <= after <= LONGEST:
        raise ValueError(f"'{text}': from 5 seconds to 1 day can be waited")
    if then is not Then.REPRICE:
        if found[3] is not None:
            raise ValueError(f"'{text}': only reprice can be done several times")
        return Unfilled(then, after)
    times = DEFAULT_TIMES if found[3] is None else int(found[3])
    if not 1 <= times <= MOST_TIMES:
        raise ValueError(f"'{text}': from 1 to {MOST_TIMES} times can be asked for")
    return Unfilled(then, after, times)
