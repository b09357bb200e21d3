"""Reads instruments.yaml, what can be traded, and lists of what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.fields import Fields, parsed, refuse
from config.registry import suggestion
from config.strict_yaml import ListNode, Located
from market.errors import ConfigError
from market.segments import KINDS, read_code, segment_of_coin
from market.types import Instrument, Kind, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.strict_yaml import Node
    from market.errors import Problem
    from market.types import InstrumentId

FUTURES = "BINANCE-FUTURES"
MARKETS = {
    "KOSPI": Venue.KRX,
    "KOSDAQ": Venue.KRX,
    "UPBIT": Venue.UPBIT,
    "BINANCE": Venue.BINANCE,
    FUTURES: Venue.BINANCE,
}
"""What `market` of an instrument may be, and whose it is."""


def read_instruments(node: Node) -> dict[InstrumentId, Instrument]:
    """Return the listed instruments by id; raises ConfigError with every problem found."""
    problems: list[Problem] = []
    if not isinstance(node, ListNode):
        raise ConfigError((node.problem("must be a list of {code, name, market, kind}"),))
    instruments: dict[InstrumentId, Instrument] = {}
    for item in node.items:
        fields = Fields(item, ("code", "name", "market", "kind"), problems)
        instrument, code = _instrument(fields), fields.node("code")
        if instrument.code and isinstance(code, Located) and instrument.id in instruments:
            problems.append(code.problem(f"code '{code.text}' is listed twice"))
        instruments[instrument.id] = instrument
    refuse(problems)
    return instruments


def find_ids(
    node: ListNode,
    instruments: Mapping[InstrumentId, Instrument] | None,
    problems: list[Problem],
) -> tuple[InstrumentId, ...]:
    """Return the ids that a list names, each once; what is not an instrument is a problem.

    With `instruments` None only the form is checked.
    """
    ids: list[InstrumentId] = []
    for item, found in written_ids(node, instruments, problems):
        if instruments is not None and found not in instruments:
            problems.append(item.problem(_unknown(found, instruments)))
        else:
            ids.append(found)
    if not node.items:
        problems.append(node.problem("the list names no instrument"))
    return tuple(ids)


def written_ids(
    node: ListNode,
    instruments: Mapping[InstrumentId, Instrument] | None,
    problems: list[Problem],
) -> list[tuple[Located, InstrumentId]]:
    """Return the ids that a list names with their places, known or not, each once.

    What does not have the form of an id is a problem; for a known name the code is told.
    """
    found: dict[InstrumentId, Located] = {}
    for item in node.items:
        if not isinstance(item, Located):
            problems.append(item.problem("an instrument is written as KRX:005930"))
            continue
        named = _code_of(item.text, instruments)
        if named:
            problems.append(item.problem(f"'{item.text}' is a name; write its code: {named}"))
            continue
        one = parsed(item, read_id, "", problems)
        if one and one in found:
            problems.append(item.problem(f"'{item.text}' is listed twice"))
        elif one:
            found[one] = item
    return [(item, one) for one, item in found.items()]


def read_id(text: str) -> InstrumentId:
    """Return the id of `KRX:005930` or `UPBIT:KRW-BTC`; a code alone is one of KRX."""
    venue, colon, code = text.partition(":")
    if not colon:
        return f"{Venue.KRX}:{_read_bare(text)}"
    if venue not in set(Venue):
        raise ValueError(f"unknown venue '{venue}'{suggestion(venue, tuple(Venue))}")
    return f"{venue}:{read_code(Venue(venue), code)}"


def _read_bare(text: str) -> str:
    """Return a code of KRX; what can only be that of a coin is refused with its venue."""
    for venue, mark in ((Venue.UPBIT, "-"), (Venue.BINANCE, "USDT")):
        if mark in text.upper():
            coin = read_code(venue, text)
            raise ValueError(f"'{text}' needs its venue; did you mean '{venue}:{coin}'?")
    return read_code(Venue.KRX, text)


def _instrument(fields: Fields) -> Instrument:
    """Return one line of the file, with stand-ins for what is wrong."""
    code, name = fields.text("code"), fields.text("name").text
    market = fields.choice("market", MARKETS)
    venue = MARKETS[market]
    is_krx = venue is Venue.KRX
    written = ""
    if code.text:
        written = parsed(code, lambda text: read_code(venue, text), "", fields.problems)
    if not is_krx:
        _check_market(code, written, market, fields.problems)
    segment = market if is_krx else segment_of_coin(venue, written)
    kind = Kind(fields.choice("kind", KINDS[venue], KINDS[venue][0]))
    return Instrument(venue, written, name, segment, kind)


def _check_market(code: Located, written: str, market: str, problems: list[Problem]) -> None:
    """Note a future among what is no future, or the other way round."""
    is_future = written.endswith(".P")
    if MARKETS[market] is Venue.BINANCE and written and is_future != (market == FUTURES):
        other = f"{FUTURES}, or no '.P' behind" if is_future else "BINANCE, or '.P' behind"
        message = f"'{written}' does not trade at {market}; write market: {other} the code"
        problems.append(code.problem(message))


def _code_of(name: str, instruments: Mapping[InstrumentId, Instrument] | None) -> str:
    found = (each for each in (instruments or {}).values() if each.name == name)
    return next((one.code if one.venue is Venue.KRX else one.id for one in found), "")


def _unknown(found: InstrumentId, instruments: Mapping[InstrumentId, Instrument]) -> str:
    codes = [one.code if one.venue is Venue.KRX else one.id for one in instruments.values()]
    venue, _, code = found.partition(":")
    hint = suggestion(code if venue == Venue.KRX else found, codes)
    message = f"unknown instrument '{found}' (instruments.yaml lists what is known){hint}"
    if hint or venue not in {Venue.UPBIT, Venue.BINANCE}:
        return message
    market = FUTURES if code.endswith(".P") else venue
    return f"{message}; add there: - {{code: {code}, name: {code}, market: {market}, kind: coin}}"
