"""Questions on the console: why a condition fires or does not, and what is near to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from bot import render_numbers as numbers
from bot.asked_time import check_session, read_moment
from bot.asking import find_condition
from bot.console import config_option, errors_for_people, load_config
from bot.html_text import to_plain
from bot.texts import LANGUAGES, Texts
from config.load import PACKAGED, members
from config.registry import suggestion
from engine.exact import venue_of
from market.clock import SystemClock
from market.errors import TicktalkError
from market.sessions import KST
from market.store import Store
from market.types import from_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from pathlib import Path

    from conditions.compile import Condition
    from config.load import Config
    from engine.look import Look
    from market.store import Transaction
    from market.types import Instrument, InstrumentId, Venue

language_option = click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Language of the answer; else that of the settings.",
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the configuration has to say to a question."""

    config: Config
    condition: Condition
    muter: Condition | None
    language: str
    texts: Texts
    now: datetime

    @property
    def universe(self) -> tuple[InstrumentId, ...]:
        return members(self.config, self.condition.spec)

    def part(self, venue: Venue) -> tuple[InstrumentId, ...]:
        return tuple(one for one in self.universe if venue_of(one) == venue)

    @property
    def depth(self) -> int:
        return self.config.settings.crawl.history_bars


@click.command()
@click.argument("condition")
@click.argument("instrument", nargs=-1, required=True)
@click.option(
    "--at",
    metavar="TIME",
    help="As of a time in Korea: 10:05 (today) or '2026-11-24 10:05'; else as it stands now.",
)
@config_option
@language_option
def why(
    condition: str,
    instrument: tuple[str, ...],
    at: str | None,
    config_path: Path | None,
    language: str | None,
) -> None:
    """Tell why CONDITION fires on INSTRUMENT or does not, from the bars that the bot has stored.

    The bot may be running meanwhile. INSTRUMENT is a code or a name.
    """
    with errors_for_people():
        asked = _asked(config_path, condition, language)
        found = _instrument(asked, " ".join(instrument))
        moment = None if at is None else _moment(asked, found, at)
        with Store.read_only(asked.config.settings.store.path) as store:
            text = store.read(lambda tx: _why(tx, asked, found, moment))
        click.echo(to_plain(text))


@click.command()
@click.argument("condition")
@click.option(
    "--top", type=click.IntRange(1, 200), default=10, show_default=True, help="How many to show."
)
@config_option
@language_option
def near(condition: str, top: int, config_path: Path | None, language: str | None) -> None:
    """Rank the instruments of CONDITION by how close they are to firing, from the stored bars."""
    with errors_for_people():
        asked = _asked(config_path, condition, language)
        with Store.read_only(asked.config.settings.store.path) as store:
            looks = store.read(lambda tx: _looks(tx, asked))
        click.echo(to_plain(_near(asked, looks, top)))


def _asked(config_path: Path | None, name: str, language: str | None) -> _Asked:
    from bot.plugins import compile_config  # noqa: PLC0415  # --help need not load numba
    from bot.universe_members import with_stored_universes  # noqa: PLC0415  # as above

    config = with_stored_universes(load_config(config_path))
    compiled = {one.name: one for one in compile_config(config)}
    known = find_condition(name, compiled)
    if known is None:
        raise TicktalkError(_unknown(name, config, compiled))
    condition, spoken = compiled[known], language or config.settings.telegram.language
    muting = condition.spec.muted_by
    muter = None if muting is None else compiled.get(muting.condition.text)
    return _Asked(config, condition, muter, spoken, Texts.load(), SystemClock().now())


def _unknown(name: str, config: Config, known: Collection[str]) -> str:
    off = next((spec for spec in config.off if spec.name == name), None)
    if off is not None:
        if config.folder != PACKAGED:
            return f"condition '{name}' is off; write 'enabled: true' in {off.file}"
        own = f"config/conditions/{PurePath(off.file).name}"
        return (
            f"condition '{name}' is off; make files of your own with `ticktalk init config`, then"
            f" write 'enabled: true' in {own}"
        )
    return f"unknown condition '{name}'{suggestion(name, known)}"


def _instrument(asked: _Asked, text: str) -> Instrument:
    directory = asked.config.directory
    found = directory.find(text)
    if found is None:
        near = ", ".join(f"{one.name} ({one.code})" for one in directory.suggest(text))
        hint = f"; did you mean {near}?" if near else "; write its code or its name"
        raise TicktalkError(f"unknown instrument '{text}'{hint}")
    if found.id not in asked.universe:
        raise TicktalkError(f"'{asked.condition.name}' does not watch {found.name} ({found.id})")
    return found


def _moment(asked: _Asked, instrument: Instrument, text: str) -> datetime:
    at = read_moment(text, asked.now)
    calendar = asked.config.calendars[instrument.venue]
    check_session(at, calendar, asked.condition.timeframe, instrument.venue)
    return at


def _why(tx: Transaction, asked: _Asked, instrument: Instrument, at: datetime | None) -> str:
    from bot.render_why import why_text  # noqa: PLC0415  # --help need not load numba
    from engine.look import replayed_look, stored_look  # noqa: PLC0415

    condition, calendar = asked.condition, asked.config.calendars[instrument.venue]
    now = asked.now if at is None else at
    where = (asked.part(venue_of(instrument.id)), calendar, asked.depth)
    if at is None:
        look = stored_look(tx, condition, *where, instrument=instrument.id, muter=asked.muter)
    else:
        look = replayed_look(tx, condition, *where, instrument=instrument.id, at=at)
    if not look.has_bars:
        raise TicktalkError(_no_bars(instrument.name, condition, at))
    midnight = now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)
    fired = tx.signals.count_since(condition.name, midnight, None if at is None else at)
    text = why_text(asked.texts, asked.language, look.why(instrument.id, now, fired), instrument)
    return text if at is None else f"{text}\n\n{_replayed(asked, look, at)}"


def _replayed(asked: _Asked, look: Look, at: datetime) -> str:
    panel = look.panel
    row = panel.row(look.asked[0])
    bars = int(panel.counts[row])
    first = from_ms(int(panel.starts[row, panel.depth - bars]))
    return asked.texts.get(
        "why.replayed",
        asked.language,
        time=numbers.minute(at),
        bars=str(bars),
        start=numbers.minute(first),
    )


def _looks(tx: Transaction, asked: _Asked) -> list[Look]:
    from engine.look import stored_look  # noqa: PLC0415  # --help need not load numba

    looks = []
    for venue in dict.fromkeys(venue_of(one) for one in asked.universe):
        where = (asked.part(venue), asked.config.calendars[venue], asked.depth)
        looks.append(stored_look(tx, asked.condition, *where))
    if not any(look.has_bars for look in looks):
        raise TicktalkError(_no_bars("its instruments", asked.condition, None))
    return looks


def _near(asked: _Asked, looks: Sequence[Look], top: int) -> str:
    from bot.render_near import near_text  # noqa: PLC0415  # --help need not load numba
    from conditions.near import Ranking  # noqa: PLC0415

    ranking = Ranking()
    for look in looks:
        ranking = ranking.joined(look.near(top), top)
    directory = asked.config.directory
    return near_text(asked.texts, asked.language, asked.condition, ranking, directory)


def _no_bars(name: str, condition: Condition, at: datetime | None) -> str:
    when = "" if at is None else f" that had closed by {numbers.minute(at)}"
    return (
        f"no {condition.timeframe} bars of {name}{when} are stored: `ticktalk run` fetches the last"
        f" days at its start and stores every bar from then on"
    )
