"""`ticktalk report`: how a day's bars and alerts compare with the venue's own chart."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import click

from bot.console import config_option, counted, errors_for_people, load_config
from engine.day_report import newest_day, reports_of
from market.errors import TicktalkError
from market.sessions import KST
from market.store import Store
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.day_report import DayReport, Difference, Hidden
    from market.directory import Directory
    from market.store import Transaction


@click.command()
@click.argument("day", required=False)
@config_option
def report(day: str | None, config_path: Path | None) -> None:
    """Compare a day's bars with the venue's chart: YYYY-MM-DD, or the newest that is over."""
    with errors_for_people():
        config = load_config(config_path)
        asked = None if day is None else _day(day)
        with Store.read_only(config.settings.store.path) as store:
            found_day, reports = store.read(lambda tx: _read(tx, asked))
        if not reports:
            raise TicktalkError(_nothing(asked))
        for key, one in reports.items():
            for line in _lines(key, found_day, one, config.directory):
                click.echo(line)


def _day(text: str) -> date:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise TicktalkError(f"'{text}' is not a day: write it as 2026-11-24")


def _read(tx: Transaction, day: date | None) -> tuple[date | None, dict[str, DayReport]]:
    if day is None:
        newest = max((newest_day(tx, venue) for venue in Venue), default="")
        day = date.fromisoformat(newest) if newest else None
    return day, {} if day is None else reports_of(tx, day)


def _nothing(day: date | None) -> str:
    when = "no day has" if day is None else f"{day.isoformat()} has not"
    return (
        f"{when} been compared yet: `ticktalk run` does it a quarter of an hour after a"
        " session, for days that it has watched"
    )


def _lines(key: str, day: date | None, report: DayReport, directory: Directory) -> Iterator[str]:
    venue, timeframe = key.split("/")[1:]
    state = "" if report.is_over else " (so far)"
    yield f"{day} {venue} {timeframe} bars{state}"
    yield (
        f"  bars     {report.equal:,} of {report.bars:,} equal the venue's chart"
        f" ({100 * report.share_equal:.2f} %;"
        f" in close and volume {100 * report.share_close:.2f} %),"
        f" {report.lacking:,} were missed, {report.invented:,} are not in it"
    )
    yield f"  alerts   {report.fired_equal:,} of {report.fired:,} stood on the venue's own bar"
    if report.early:
        yield f"  early    {report.early:,} alerts of bars that still formed are not compared"
    yield f"  hidden   {report.hidden_count:,} times a condition held on the venue's bar only"
    yield from (_hidden(one, directory) for one in report.hidden)
    if report.unread:
        names = ", ".join(directory.name(name) for name in report.unread[:10])
        yield f"  unread   {counted(len(report.unread), 'chart')} could not be had: {names}"
    if report.worst:
        yield "  worst differences"
        yield from (_worst(one, directory) for one in report.worst)


def _hidden(one: Hidden, directory: Directory) -> str:
    at = one.start.astimezone(KST)
    return f"    {at:%H:%M} {one.condition} {directory.name(one.instrument)} {one.instrument}"


def _worst(one: Difference, directory: Directory) -> str:
    at = one.start.astimezone(KST)
    name = f"{directory.name(one.instrument)} {one.instrument}"
    figures = f"ours {one.live:,.10g}, the venue's {one.exact:,.10g} ({100 * one.share:.2f} %)"
    return f"    {at:%H:%M} {name} {one.field}: {figures}"
