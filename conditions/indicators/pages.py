"""The page of docs that lists every indicator, event and shorthand, made from the registries."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from conditions.indicators import EVENTS, INDICATORS, SHORTHANDS
from conditions.indicators.registry import OPENINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conditions.indicators.events import Event, Shorthand
    from conditions.indicators.registry import Indicator, Output, Parameter

HEAD = """# Indicators

This page is made from the registry of indicators; a test compiles every example.

*Warm-up* is how many own bars an instrument must have before a value is known; *memory* how many
bars decide the value: with more of them it changes by less than a millionth. Both are told for the
defaults, or for a window of 20. A value is unknown while it warms up, where a bar that it needs is
unknown, and where it would divide by zero. Prices that do not move have no strength or direction.
What *equals* a class of the `ta` library (0.11) has its values, to rounding, from the warm-up on.
"""
SLOW = """## Slow indicators

`ta` itself computes these, instrument by instrument, in about a millisecond each (`psar` takes
twenty). Use them with a short universe. What `ta` sums up from its first bar on begins anew with
every session here, since the first bar a bot happens to have means nothing. Where prices stand
still for hundreds of bars, `ta` may divide one rounding error by another.
"""
EVENTS_HEAD = """## Events

True or false by themselves, and unknown where a bar that they look at is, or where a bar is missing
between those. A candle's body lies between open and close, its shadows between body and high or
low; shares are shares of the bar's range. A body is *long* from half of the range on. *After an
advance* (decline) means: the close before the pattern lies above (below) the mean of the 5 closes
up to it. The patterns are those of Nison, Japanese Candlestick Charting Techniques; the ratios are
ours.
"""
SHORTHANDS_HEAD = """## Shorthands

Words for expressions. An alert explains the expression.
"""
UNSAID = 20


def indicator_pages() -> str:
    """Return the whole page as Markdown."""
    indicators = {name: INDICATORS.get(name) for name in INDICATORS}
    fast = (_indicator(name, one) for name, one in indicators.items() if not one.is_slow)
    slow = (_indicator(name, one) for name, one in indicators.items() if one.is_slow)
    events = (_event(name, EVENTS.get(name)) for name in EVENTS)
    shorthands = (_shorthand(name, SHORTHANDS.get(name)) for name in SHORTHANDS)
    parts = [HEAD, "## Fast indicators\n", *fast, SLOW, *slow]
    return "\n".join([*parts, EVENTS_HEAD, *events, SHORTHANDS_HEAD, *shorthands])


def call_of(name: str, series: Iterable[str], parameters: Iterable[Parameter]) -> str:
    """Return how something is called, with the defaults of its parameters."""
    tuned = (
        one.name if one.default is None else f"{one.name}={one.default:g}" for one in parameters
    )
    return f"{name}({', '.join([*series, *tuned])})"


def _indicator(name: str, indicator: Indicator) -> str:
    return _section(name, indicator.definition, _facts(name, indicator))


def _facts(name: str, indicator: Indicator) -> Iterator[str]:
    words = ["source"] if len(indicator.sources) == 1 else []
    yield f"- call: `{call_of(name, words, indicator.parameters)}`"
    if len(indicator.sources) == 1:
        yield f"- source: any series, `{indicator.sources[0]}` where it is left out"
    else:
        yield f"- of: {', '.join(map(_source, indicator.sources))}"
    yield from map(_range, indicator.parameters)
    chosen = tuple(_default(one) for one in indicator.parameters)
    for output in indicator.outputs:
        yield _output(indicator, output, chosen)
    if indicator.twin:
        yield f"- equals: `{indicator.twin}`"
    if indicator.origin:
        yield f"- more: <{indicator.origin}>"
    yield f"- example: `{indicator.example}`"


def _output(indicator: Indicator, output: Output, chosen: tuple[float, ...]) -> str:
    unit = "the source's unit" if output.unit is None else output.unit.words.split(" (")[0]
    if output.unit is None and len(indicator.sources) > 1:
        unit = "a price"
    if output.bounds is not None:
        low, high = output.bounds
        unit += f", at least {low:g}" if high == inf else f" from {low:g} to {high:g}"
    warm_up = (output.warm_up or indicator.warm_up)(*chosen)
    memory = (output.memory or indicator.memory)(*chosen)
    label = f"`.{output.name}`: {output.meaning}; " if output.name else "value: "
    return f"- {label}{unit}, warm-up {warm_up}, memory {memory}"


def _event(name: str, event: Event) -> str:
    bars = event.bars(*(_default(one) for one in event.parameters))
    facts = [
        f"- call: `{call_of(name, event.series, event.parameters)}`",
        *map(_range, event.parameters),
        f"- looks at: {bars} {'bar' if bars == 1 else 'bars'}",
        f"- example: `{event.example}`",
    ]
    return _section(name, event.definition, facts)


def _shorthand(name: str, shorthand: Shorthand) -> str:
    names = [*shorthand.series, *(one.name for one in shorthand.parameters)]
    facts = [
        f"- call: `{call_of(name, shorthand.series, shorthand.parameters)}`",
        f"- means: `{shorthand.template.format_map({one: one for one in names})}`",
        *map(_range, shorthand.parameters),
        f"- example: `{shorthand.example}`",
    ]
    return _section(name, shorthand.definition, facts)


def _section(name: str, definition: str, facts: Iterable[str]) -> str:
    return "\n".join([f"### {name}\n", f"{' '.join(definition.split())}\n", *facts, ""])


def _range(parameter: Parameter) -> str:
    sort = "whole, " if parameter.is_whole else ""
    return f"- `{parameter.name}`: {sort}from {parameter.low:g} to {parameter.high:g}"


def _source(name: str) -> str:
    return "where sessions begin" if name == OPENINGS else f"`{name}`"


def _default(parameter: Parameter) -> float:
    return parameter.typed(UNSAID if parameter.default is None else parameter.default)
