"""The words about what holds orders back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render_numbers as numbers

if TYPE_CHECKING:
    from bot.texts import Texts
    from engine.arming import Arming
    from engine.brokers import Brokers
    from engine.pauses import Pause, Trading
    from market.directory import Directory


def trading_lines(texts: Texts, language: str, trading: Trading, directory: Directory) -> list[str]:
    """Return the state of trading, and one line a pause."""
    lines = [texts.get(f"status.trading.{trading.state}", language)]
    return lines + pause_lines(texts, language, trading, directory)


def pause_lines(texts: Texts, language: str, trading: Trading, directory: Directory) -> list[str]:
    """Return one line a pause: what of, which side, until when."""
    return [_line(texts, language, one, directory) for one in trading.pauses]


def arming_line(texts: Texts, language: str, arming: Arming | None, idle_hours: float) -> str:
    """Return whether a live broker may buy."""
    if arming is None:
        return texts.get("status.disarmed", language)
    since, hours = numbers.minute(arming.at), f"{idle_hours:g}"
    return texts.get("status.armed", language, since=since, hours=hours)


def brokers_words(brokers: Brokers, *, are_live: bool = False) -> str:
    """Return who trades where (`kis KRX, paper UPBIT BINANCE`), or of these only the live ones."""
    seats = [seat for seat in brokers.seats if seat.is_live or not are_live]
    return ", ".join(f"{seat.name} {' '.join(sorted(seat.venues))}" for seat in seats)


def _line(texts: Texts, language: str, pause: Pause, directory: Directory) -> str:
    scope = pause.scope
    name = directory.name(scope.instrument) if scope.instrument else ""
    words = " · ".join(word for word in (scope.venue, name, scope.condition) if word)
    side = "both" if scope.side is None else scope.side.value
    facts = {
        "scope": words or texts.plain("pause.everything", language),
        "side": texts.plain(f"side.{side}", language),
    }
    if pause.until is None:
        return texts.get("pause.line", language, **facts)
    return texts.get("pause.line_until", language, until=numbers.minute(pause.until), **facts)
