"""The JSON Schema of a universe file."""

from __future__ import annotations

from config.schema_shapes import Shape, choice, either, listed, mapped, text
from config.universe_file import ORDERS, RANKING_KEYS, UNIVERSE_KEYS, UNIVERSE_MARKETS
from market.segments import SEGMENTS
from market.types import Kind

_IDS = text(examples=["KRX:005930", "UPBIT:KRW-BTC"])
_RANKING = {
    "of": either(
        text(examples=["KOSPI+KOSDAQ", *SEGMENTS]),
        listed(choice(SEGMENTS)),
        describe="The markets that are ranked, all of one venue",
    ),
    "by": text(
        "What decides the rank: an expression over the day's facts",
        examples=["value", "day.change", "facts.foreigners_5 / facts.listed_shares"],
    ),
    "top": text("How many become members", examples=["480"]),
    "where": text(
        "Who takes part: a comparison of the day's facts",
        examples=["facts.market_cap > 100_000_000_000 KRW"],
    ),
    "order": choice(ORDERS, "The greatest first, or the least"),
}
_UNIVERSE = {
    "name": text("What conditions call it", examples=["korea-leaders"]),
    "describe": text("One line for people"),
    "instruments": listed(_IDS, "Its members, each of them in instruments.yaml"),
    "market": choice(
        UNIVERSE_MARKETS, "All that a market lists; all: everything in instruments.yaml"
    ),
    "ranking": mapped(
        RANKING_KEYS, _RANKING, "The first of a market by a number", ("of", "by", "top")
    ),
    "kind": choice(Kind, "Only this kind of a market or ranking"),
    "always": listed(_IDS, "Members whatever the market or ranking says", least=0),
    "never": listed(_IDS, "No members whatever the market or ranking says", least=0),
}


def universe_schema() -> Shape:
    """Return the shape of a universe file."""
    return mapped(UNIVERSE_KEYS, _UNIVERSE, "", ("name",))
