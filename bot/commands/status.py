"""/status: one look at whether everything runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.command import command
from bot.render_trading import arming_line, brokers_words, trading_lines
from bot.reply import Reply, command_button
from market.messages import Role
from market.orders import OPEN

if TYPE_CHECKING:
    from datetime import datetime

    from bot.command import Call
    from bot.services import Services, VenueHealth
    from engine.health import Trouble
    from market.sessions import Calendar
    from market.store import Transaction


@command("status", Role.VIEWER, is_private=False, examples=("",))
async def status(services: Services, call: Call) -> Reply:
    """Show trading state, market hours, the last crawl and what is waiting."""
    texts, language = services.texts, call.language

    def counts(tx: Transaction) -> tuple[int, int]:
        return len(tx.orders.in_states(OPEN)), tx.outbox.waiting()

    open_orders, waiting = await services.store.read(counts)
    trading = await services.desk.trading()
    lines = [
        *trading_lines(texts, language, trading, services.directory),
        *await _arming_lines(services, language),
        *market_lines(services, language),
        *source_lines(services, language),
        texts.get(
            "status.counts",
            language,
            conditions=str(len(services.pipeline.conditions)),
            orders=str(open_orders),
            waiting=str(waiting),
        ),
        texts.get(
            "status.program",
            language,
            broker=brokers_words(services.desk.brokers),
            version=program_version(),
        ),
    ]
    button = command_button(texts.plain("button.refresh", language), "/status")
    return Reply("\n".join(lines), ((button,),), card=call.card_for("status"))


async def _arming_lines(services: Services, language: str) -> list[str]:
    """Return whether a live broker may buy; paper needs no arming."""
    if not services.desk.is_live:
        return []
    idle_hours = services.config.settings.access.idle_hours
    return [arming_line(services.texts, language, await services.desk.arming(), idle_hours)]


def market_lines(services: Services, language: str) -> list[str]:
    """Return one line a venue we know instruments of: open or closed until when, or always open."""
    now = services.market_clock.now()
    lines = []
    for venue in sorted({instrument.venue for instrument in services.directory}):
        key, until = _hours(services.calendars[venue], now)
        lines.append(
            services.texts.get(
                f"status.market.{key}",
                language,
                venue=venue.value,
                until=numbers.minute(until),
                now=numbers.minute(now),
            )
        )
    return lines


def _hours(calendar: Calendar, now: datetime) -> tuple[str, datetime]:
    if not calendar.is_open(now):
        return "closed", calendar.next_open(now)
    window = calendar.window(calendar.session_day(now))
    if window is None or calendar.is_open(window.close):
        return "always", now
    return "open", window.close


def program_version() -> str:
    """Return the installed version of ticktalk."""
    try:
        return version("ticktalk")
    except PackageNotFoundError:
        return "?"


def source_lines(services: Services, language: str) -> list[str]:
    """Return one line a watched venue about its prices, and one for each trouble with them."""
    lines = []
    for health in services.pipeline.health():
        lines.append(source_line(services, health, language))
        lines += [trouble_line(services, one, language) for one in health.troubles]
    return lines


def source_line(services: Services, health: VenueHealth, language: str) -> str:
    """Return how a venue's prices come in, and how old the last are."""
    seen, now = health.crawled_at, services.market_clock.now()
    age = "–" if seen is None else numbers.span_between(seen, now, language)
    key = f"status.source.{health.state}"
    return services.texts.get(key, language, venue=health.venue.value, age=age)


def trouble_line(services: Services, trouble: Trouble, language: str) -> str:
    """Return what is wrong with a venue's prices, in short."""
    return services.texts.get(f"trouble.{trouble.code}", language, **trouble.facts)
