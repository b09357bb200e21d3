"""Reads instruments.yaml and universes/*.yaml: what can be traded, and groups of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.fields import Fields, parsed, refuse
from config.registry import suggestion
from config.strict_yaml import ListNode, Located
from config.values import read_name
from market.errors import ConfigError
from market.types import Instrument, Kind, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.strict_yaml import Node
    from market.errors import Problem
    from market.types import InstrumentId

_CODE = re.compile(r"[0-9A-Z]{6}", re.ASCII)
_SEGMENTS = ("KOSPI", "KOSDAQ")
_EVERY = "all"

UNIVERSE_KEYS = ("name", "describe", "instruments", "market")
MARKETS = (_EVERY, *_SEGMENTS)
"""What a universe may name instead of its instruments."""


@dataclass(frozen=True, slots=True)
class Universe:
    """A named group of instruments; `located` is where its name is written."""

    name: str
    describe: str
    members: tuple[InstrumentId, ...]
    located: Located


def read_instruments(node: Node) -> dict[InstrumentId, Instrument]:
    """Return the listed instruments by id; raises ConfigError with every problem found."""
    problems: list[Problem] = []
    if not isinstance(node, ListNode):
        raise ConfigError((node.problem("must be a list of {code, name, market, kind}"),))
    instruments: dict[InstrumentId, Instrument] = {}
    for item in node.items:
        fields = Fields(item, ("code", "name", "market", "kind"), problems)
        code = fields.text("code")
        instrument = Instrument(
            Venue.KRX,
            parsed(code, _read_code, "", problems) if code.text else "",
            fields.text("name").text,
            fields.choice("market", _SEGMENTS),
            Kind(fields.choice("kind", (Kind.STOCK, Kind.ETF), Kind.STOCK)),
        )
        if instrument.code and instrument.id in instruments:
            problems.append(code.problem(f"code '{code.text}' is listed twice"))
        instruments[instrument.id] = instrument
    refuse(problems)
    return instruments


def read_universe(node: Node, instruments: Mapping[InstrumentId, Instrument] | None) -> Universe:
    """Return a universe; raises ConfigError with every problem found.

    Its members are listed under `instruments`, or are all of a `market`: KOSPI, KOSDAQ or all.
    """
    problems: list[Problem] = []
    fields = Fields(node, UNIVERSE_KEYS, problems)
    name = fields.text("name")
    describe = fields.optional_text("describe")
    universe = Universe(
        parsed(name, read_name, "", problems) if name.text else "",
        describe.text.strip() if describe else "",
        _members(fields, node, instruments),
        name,
    )
    refuse(problems)
    return universe


def find_ids(
    node: ListNode,
    instruments: Mapping[InstrumentId, Instrument] | None,
    problems: list[Problem],
) -> tuple[InstrumentId, ...]:
    """Return the ids that a list names, each once; what is not an instrument is a problem.

    With `instruments` None only the form is checked.
    """
    ids: list[InstrumentId] = []
    for item in node.items:
        if not isinstance(item, Located):
            problems.append(item.problem("an instrument is written as KRX:005930"))
            continue
        named = _code_of(item.text, instruments)
        if named:
            problems.append(item.problem(f"'{item.text}' is a name; write its code: {named}"))
            continue
        found = parsed(item, read_id, "", problems)
        if found and found in ids:
            problems.append(item.problem(f"'{item.text}' is listed twice"))
        elif found and instruments is not None and found not in instruments:
            problems.append(item.problem(_unknown(found, instruments)))
        elif found:
            ids.append(found)
    if not node.items:
        problems.append(node.problem("the list names no instrument"))
    return tuple(ids)


def read_id(text: str) -> InstrumentId:
    """Return the id of `KRX:005930`, or of `005930` alone, which means KRX."""
    venue, colon, code = text.partition(":")
    if not colon:
        venue, code = Venue.KRX, text
    if venue != Venue.KRX:
        raise ValueError(f"unknown venue '{venue}'{suggestion(venue, (Venue.KRX,))}")
    return f"{venue}:{_read_code(code)}"


def _read_code(text: str) -> str:
    if _CODE.fullmatch(text) is not None:
        return text
    whole = text.zfill(6) if text.isascii() and text.isdigit() else text.upper()
    hint = f"; did you mean '{whole}'?" if _CODE.fullmatch(whole) else ""
    raise ValueError(f"'{text}' is not a code of 6 digits or capital letters{hint}")


def _code_of(name: str, instruments: Mapping[InstrumentId, Instrument] | None) -> str:
    return next((each.code for each in (instruments or {}).values() if each.name == name), "")


def _unknown(found: InstrumentId, instruments: Mapping[InstrumentId, Instrument]) -> str:
    codes = [instrument.code for instrument in instruments.values()]
    hint = suggestion(found.partition(":")[2], codes)
    return f"unknown instrument '{found}' (instruments.yaml lists what is known){hint}"


def _members(
    fields: Fields, node: Node, instruments: Mapping[InstrumentId, Instrument] | None
) -> tuple[InstrumentId, ...]:
    listed, market = fields.node("instruments"), fields.node("market")
    if (listed is None) == (market is None):
        fields.problems.append(node.problem("give either 'instruments' or 'market'"))
        return ()
    if market is not None:
        segment = fields.choice("market", MARKETS)
        known = (instruments or {}).values()
        return tuple(each.id for each in known if segment in {_EVERY, each.segment})
    if not isinstance(listed, ListNode):
        fields.problems.append((listed or node).problem("write a list here: [KRX:005930]"))
        return ()
    return find_ids(listed, instruments, fields.problems)
