"""Reads the keys that say how often a condition fires, and what keeps it quiet."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from config.condition_file import Muting, Unknown
from config.fields import Fields, parsed
from config.instruments import find_ids
from config.registry import suggestion
from config.strict_yaml import ListNode, Located
from config.values import read_bars, read_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.condition_file import Param
    from market.types import Instrument, InstrumentId

MUTING_KEYS = ("condition", "on")
USUAL_COOLDOWN = timedelta(minutes=30)
UNKNOWN_BARS = 3

_ALERT = re.compile(r"alert\s+after\s+(.+)")


def read_every_bar(fields: Fields) -> bool:
    """Return whether it fires on every bar on which it is true, not once."""
    return fields.choice("fire", ("once", "every bar"), "once") == "every bar"


def read_hold(fields: Fields, params: Sequence[Param]) -> tuple[int, Located | None]:
    """Return how many bars it must hold, or where the parameter is named that says so."""
    written = fields.optional_text("for")
    name, _, unit = ("", "", "") if written is None else written.text.strip().partition(" ")
    if written is not None and unit in {"bar", "bars"}:
        for param in params:
            if param.name.text == name:
                return 1, replace(written, text=name)
    return fields.value("for", read_bars, 1), None


def read_cooldown(fields: Fields, *, fires_every_bar: bool) -> timedelta:
    """Return the cooldown; what fires on every bar has none unless it is written."""
    usual = timedelta(0) if fires_every_bar else USUAL_COOLDOWN
    return fields.value("cooldown", read_duration, usual)


def read_expires(fields: Fields, *, fires_every_bar: bool) -> timedelta | None:
    """Return how long it fires at most."""
    written = fields.optional_text("expires")
    if written is None:
        return None
    if fires_every_bar:
        message = "'expires' does not go with fire: every bar, which tells it anew each time"
        fields.problems.append(written.problem(message))
        return None
    found = parsed(written, read_duration, timedelta(days=1), fields.problems)
    if not found:
        fields.problems.append(written.problem(f"'{written.text}' must be longer than nothing"))
    return found


def read_unknown(fields: Fields) -> tuple[Unknown, int]:
    """Return what an unknown verdict does, and after how many bars it is told."""
    return fields.value("on_unknown", _unknown, (Unknown.HOLD, UNKNOWN_BARS))


def read_muting(
    fields: Fields, instruments: Mapping[InstrumentId, Instrument] | None
) -> Muting | None:
    """Return by which condition this one is silenced."""
    node = fields.node("muted_by")
    if node is None:
        return None
    if isinstance(node, Located):
        name = fields.optional_text("muted_by")
        return None if name is None else Muting(name)
    inner = Fields(node, MUTING_KEYS, fields.problems)
    name, on = inner.text("condition"), inner.optional_text("on")
    if on is None:
        return Muting(name)
    found = find_ids(ListNode((on,), on.file, on.line, on.column), instruments, fields.problems)
    return Muting(name, found[0] if found else None)


def _unknown(text: str) -> tuple[Unknown, int]:
    found = _ALERT.fullmatch(text.strip())
    if found is not None:
        return Unknown.ALERT, read_bars(found[1])
    if text not in set(Unknown):
        known = [*Unknown, "alert after 5 bars"]
        raise ValueError(f"unknown on_unknown '{text}'{suggestion(text, known)}")
    return Unknown(text), UNKNOWN_BARS
