"""The tables of docs/conditions.md, made from the registries, and their places in its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conditions.clock_fields import CLOCK_FIELDS
from conditions.day_fields import DAY, DAY_FIELDS
from conditions.fact_fields import FACT_FIELDS, FACTS
from conditions.fields import BAR_FIELDS
from conditions.functions import FUNCTIONS
from conditions.indicators import EVENTS, INDICATORS, SHORTHANDS
from conditions.indicators.pages import call_of
from conditions.limit_fields import LIMIT_FIELDS
from conditions.position_fields import POSITION, POSITION_FIELDS
from conditions.units import LITERALS, Unit
from config.condition_reader import KEYS
from config.schema_condition import DEFAULTS, SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from conditions.indicators.registry import Indicator

BEGIN, END = "<!-- made by docs/write_reference.py: {} -->", "<!-- made until here -->"
SECTIONS = {
    "score": "Scores",
    "let": "Names",
    "params": "Names",
    "extends": "Templates",
    "template": "Templates",
    "sides": "Two sides",
    "on_unknown": "Unknown is not false",
    "intrabar": "Before the bar closes",
    "muted_by": "How often it fires",
    "tests": "Testing a condition",
}
"""Under which heading more is said of a key."""


def with_tables(text: str) -> str:
    """Return the document with every table between two marks made anew.

    Raises ValueError where a mark names no table or has no end.
    """
    for name in re.findall(re.escape(BEGIN).replace(r"\{\}", "(.*?)"), text):
        if name not in TABLES:
            raise ValueError(f"no table is called '{name}'; known: {', '.join(TABLES)}")
        before, begin, rest = text.partition(BEGIN.format(name))
        _, end, after = rest.partition(END)
        if not end:
            raise ValueError(f"the table '{name}' has no end: {END}")
        text = "\n".join([f"{before}{begin}", *TABLES[name](), f"{end}{after}"])
    return text


def _keys() -> Iterator[str]:
    yield from _head("key", "meaning", "default")
    for key in KEYS:
        meaning = SHAPES[key]["description"]
        if key in SECTIONS:
            meaning += f": see [{SECTIONS[key]}](#{SECTIONS[key].lower().replace(' ', '-')})"
        yield _row(f"`{key}`", meaning, DEFAULTS[key])


def _bars() -> Iterator[str]:
    yield from _head("field", "meaning", "unit")
    for name, part in BAR_FIELDS.items():
        yield _row(f"`{name}`", part.meaning, part.unit.words)


def _day() -> Iterator[str]:
    yield from _head("field", "meaning", "unit")
    for name, part in DAY_FIELDS.items():
        yield _row(f"`{DAY}.{name}`", part.meaning, part.unit.words)
    for name, field in CLOCK_FIELDS.items():
        yield _row(f"`{name}`", field.meaning, field.unit.words)
    for name, meaning in LIMIT_FIELDS.items():
        yield _row(f"`{name}`", meaning, Unit.PRICE.words)


def _facts() -> Iterator[str]:
    yield from _head("field", "meaning", "unit")
    for name, part in FACT_FIELDS.items():
        yield _row(f"`{FACTS}.{name}`", part.meaning, part.unit.words)


def _position() -> Iterator[str]:
    yield from _head("field", "meaning", "unit")
    for name, part in POSITION_FIELDS.items():
        yield _row(f"`{POSITION}.{name}`", part.meaning, part.unit.words)


def _functions() -> Iterator[str]:
    yield from _head("call", "meaning")
    for function in FUNCTIONS.values():
        yield _row(f"`{function.usage}`", function.meaning)


def _units() -> Iterator[str]:
    yield from _head("written", "as well", "measures")
    names = dict.fromkeys(one.name for one in LITERALS.values())
    for name in names:
        others = (word for word, one in LITERALS.items() if one.name == name != word)
        listed = ", ".join(f"`{word}`" for word in others)
        yield _row(f"`{name}`", listed, LITERALS[name].unit.words)


def _indicators() -> Iterator[str]:
    yield from _head("call", "means")
    for name in INDICATORS:
        indicator = INDICATORS.get(name)
        if not indicator.is_slow:
            yield _row(_indicator(name, indicator), _on_one_line(indicator.definition))


def _slow() -> Iterator[str]:
    slow = (name for name in INDICATORS if INDICATORS.get(name).is_slow)
    yield " ".join(_indicator(name, INDICATORS.get(name)) for name in slow)


def _events() -> Iterator[str]:
    yield from _head("call", "true where")
    for name in EVENTS:
        event = EVENTS.get(name)
        call = call_of(name, event.series, event.parameters)
        yield _row(f"`{call}`", _on_one_line(event.definition))


def _shorthands() -> Iterator[str]:
    yield from _head("call", "true where")
    for name in SHORTHANDS:
        one = SHORTHANDS.get(name)
        yield _row(f"`{call_of(name, one.series, one.parameters)}`", _on_one_line(one.definition))


TABLES: Mapping[str, Callable[[], Iterable[str]]] = {
    "keys": _keys,
    "bars": _bars,
    "day": _day,
    "facts": _facts,
    "position": _position,
    "functions": _functions,
    "units": _units,
    "indicators": _indicators,
    "slow": _slow,
    "events": _events,
    "shorthands": _shorthands,
}
"""By the name that stands in the mark before it."""


def _indicator(name: str, indicator: Indicator) -> str:
    call = call_of(name, (), indicator.parameters)
    if not indicator.is_several:
        return f"`{call}`"
    first, *others = (one.name for one in indicator.outputs)
    return " ".join([f"`{call}.{first}`", *(f"`.{one}`" for one in others)])


def _on_one_line(definition: str) -> str:
    return " ".join(definition.split())


def _head(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|" + "---|" * len(titles)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
