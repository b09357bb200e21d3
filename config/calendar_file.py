"""Reads krx_calendar.yaml: days on which KRX is closed or has other hours."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from config.fields import refuse
from config.strict_yaml import Located, MapNode
from config.values import read_between
from market.errors import ConfigError

if TYPE_CHECKING:
    from datetime import time

    from config.strict_yaml import Node
    from market.errors import Problem

SpecialDays: TypeAlias = "dict[date, tuple[time, time] | None]"
"""Opening and closing time (KST) of a day; None where the market is closed."""


def read_special_days(node: Node) -> SpecialDays:
    """Return the special days of a mapping like `2026-06-03: closed`, `2026-01-02: 10:00-15:30`.

    Raises ConfigError with every problem found.
    """
    if not isinstance(node, MapNode):
        raise ConfigError((node.problem("must be a mapping like 2026-06-03: closed"),))
    days: SpecialDays = {}
    problems: list[Problem] = []
    for key, value in node.entries:
        try:
            day = date.fromisoformat(key.text)
        except ValueError:
            problems.append(key.problem(f"'{key.text}' is not a day; write 2026-06-03"))
            continue
        if not isinstance(value, Located):
            problems.append(value.problem("write closed, or hours like 10:00-15:30"))
            continue
        try:
            days[day] = None if value.text == "closed" else read_between(value.text)
        except ValueError:
            message = f"'{value.text}' is neither closed nor hours like 10:00-15:30"
            problems.append(value.problem(message))
    refuse(problems)
    return days
