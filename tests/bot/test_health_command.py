"""/health and the lines of /status that come from it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.dispatch import Dispatcher
from engine.day_report import DayReport, write_report
from engine.health import TROUBLES, Trouble
from engine.protect import Protection
from engine.protect_book import put_protection
from market.protect import Protect
from tests.bot.chat_world import NOW, OWNER

if TYPE_CHECKING:
    from market.store import Transaction
    from tests.bot.chat_world import World

SINCE = NOW - timedelta(minutes=4)
FACTS = {
    "source": "kis",
    "wanted": "naver",
    "error": "no answer",
    "seconds": "40",
    "count": "3",
    "names": "KRX:005930",
}


def said(world: World, line: str) -> str:
    return "\n".join(one.text for one in asyncio.run(world.say(line, OWNER)))


def test_it_names_source_and_counts(world: World) -> None:
    text = said(world, "/health")
    assert "KRX" in text
    assert "naver" in text


def test_every_trouble_is_told_with_its_time(world: World) -> None:
    world.watch.troubles = tuple(Trouble(code, SINCE, FACTS) for code in TROUBLES)
    text = said(world, "/health")
    assert text.count("4") >= len(TROUBLES)
    short = said(world, "/status")
    for code in TROUBLES:
        line = world.services.texts.get(f"trouble.{code}", OWNER.language, **FACTS)
        assert line in text
        assert line in short


def test_the_report_of_the_day_before_is_shown(world: World) -> None:
    report = DayReport(
        bars=2400, equal=2000, close=2328, fired=7, fired_equal=7, hidden_count=1, is_over=True
    )
    day = date(2026, 11, 23)
    asyncio.run(world.store.write(lambda tx: write_report(tx, "series/KRX/5m", day, report)))
    text = said(world, "/health")
    assert "2026-11-23" in text
    assert "97.00" in text
    assert "7/7" in text


def test_it_says_which_protected_prices_are_live(world: World) -> None:
    def protect(tx: Transaction) -> None:
        for name in ("KRX:005930", "KRX:000660"):
            wish = Protect(stop_loss=Decimal("0.03"))
            put_protection(tx, Protection(name, wish, 7, NOW, Decimal(1), Decimal(1)))

    asyncio.run(world.store.write(protect))
    services = replace(world.services, live_prices=lambda: frozenset({"KRX:000660"}))
    world.dispatcher = Dispatcher(services)
    text = said(world, "/health")
    texts, language = world.services.texts, OWNER.language
    names = [world.services.directory.name(name) for name in ("KRX:000660", "KRX:005930")]
    assert texts.get("health.live", language, names=names[0]) in text
    assert texts.get("health.polled", language, names=names[1]) in text
