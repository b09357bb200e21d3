"""/health: whether what the bot sees of the market can be trusted."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from bot import render_numbers as numbers
from bot.command import command
from bot.commands.status import source_line, trouble_line
from bot.reply import Reply, command_button
from engine.day_report import newest_day, reports_of
from engine.protect_book import read_protections
from market.messages import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.command import Call
    from bot.services import Services, VenueHealth
    from bot.texts import Texts
    from engine.day_report import DayReport
    from market.store import Transaction
    from market.types import InstrumentId, Venue

Reports: TypeAlias = "dict[Venue, tuple[str, list[DayReport]]]"


@command("health", Role.VIEWER, is_private=False, examples=("",))
async def health(services: Services, call: Call) -> Reply:
    """Show for every venue where prices come from, what is missing and what is wrong."""
    texts, language = services.texts, call.language
    venues = services.pipeline.health()
    reports = await services.store.read(lambda tx: _newest(tx, [one.venue for one in venues]))
    blocks = [
        "\n".join([_venue(services, one, language), *_report_lines(texts, reports, one, language)])
        for one in venues
    ]
    protected = await services.store.read(read_protections)
    if protected:
        names = sorted(one.instrument for one in protected)
        blocks.append("\n".join(_protected_lines(services, names, language)))
    trouble = services.record_trouble()
    if trouble is not None:
        path = services.config.settings.record.path
        blocks.append(texts.get("health.record", language, path=path, error=trouble))
    button = command_button(texts.plain("button.refresh", language), "/health")
    text = "\n\n".join(blocks) or texts.get("health.nothing", language)
    return Reply(text, ((button,),), card=call.card_for("health"))


def _protected_lines(
    services: Services, names: Sequence[InstrumentId], language: str
) -> Iterator[str]:
    """Yield what is judged at every price of a websocket, and what only at every sweep."""
    live = services.live_prices()
    for code, found in (
        ("health.live", [one for one in names if one in live]),
        ("health.polled", [one for one in names if one not in live]),
    ):
        if found:
            shown = ", ".join(services.directory.name(one) for one in found)
            yield services.texts.get(code, language, names=shown)


def _newest(tx: Transaction, venues: Sequence[Venue]) -> Reports:
    """Return the newest day that was compared with the chart, and its reports, by venue."""
    found: Reports = {}
    for venue in venues:
        day = newest_day(tx, venue)
        if day:
            kept = reports_of(tx, date.fromisoformat(day))
            found[venue] = day, [one for key, one in kept.items() if key.split("/")[1] == venue]
    return found


def _report_lines(texts: Texts, reports: Reports, health: VenueHealth, language: str) -> list[str]:
    day, found = reports.get(health.venue, ("", []))
    return [
        texts.get(
            "health.report",
            language,
            day=day,
            share=f"{100 * one.share_close:.2f}",
            bars=f"{one.bars:,}",
            exact=str(one.fired_equal),
            fired=str(one.fired),
            hidden=str(one.hidden_count),
        )
        for one in found
    ]


def _venue(services: Services, health: VenueHealth, language: str) -> str:
    texts, now = services.texts, services.market_clock.now()
    lines = [
        f"<b>{source_line(services, health, language)}</b>",
        texts.get(
            "health.counts",
            language,
            source=health.source or "–",
            watched=str(health.watched),
            missing=str(health.missing),
            waiting=str(health.waiting),
        ),
    ]
    for trouble in health.troubles:
        since = numbers.minute(trouble.since)
        age = numbers.span_between(trouble.since, now, language)
        lasting = texts.get("health.since", language, since=since, age=age)
        lines.append(f"{trouble_line(services, trouble, language)} · {lasting}")
        if trouble.facts.get("error"):
            lines.append(texts.get("health.why", language, error=trouble.facts["error"]))
    if health.last_error:
        lines.append(texts.get("health.error", language, error=health.last_error))
    return "\n".join(lines)
