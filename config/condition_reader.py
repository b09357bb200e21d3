"""From the YAML of a condition file to its specification, with every problem at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from config.condition_extends import extended, sides
from config.condition_file import AlertSpec, ConditionSpec, ConfirmSpec, OrderSpec
from config.condition_lifecycle import (
    read_cooldown,
    read_every_bar,
    read_expires,
    read_hold,
    read_muting,
    read_unknown,
)
from config.condition_names import read_lets, read_params
from config.condition_protect import read_protect
from config.condition_score import read_when
from config.condition_tests import read_tests
from config.condition_unfilled import read_unfilled
from config.fields import Fields, refuse
from config.instruments import find_ids
from config.registry import suggestion
from config.rules import read_optional_rule
from config.settings import ConfirmSettings
from config.strict_yaml import ListNode, Located, MapNode, parse_yaml
from config.values import (
    read_auto,
    read_between,
    read_drift,
    read_duration,
    read_limit,
    read_name,
    read_timeframe,
    read_truth,
    read_within,
)
from market.errors import ConfigError, Problem
from market.orders import Action, Otherwise
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import time
    from decimal import Decimal

    from config.condition_file import Let, Severity
    from config.strict_yaml import Node
    from market.types import Instrument, InstrumentId

KEYS = (
    "name",
    "describe",
    "enabled",
    "template",
    "extends",
    "universe",
    "timeframe",
    "params",
    "let",
    "when",
    "score",
    "for",
    "clear",
    "keep_for",
    "expires",
    "on_unknown",
    "fire",
    "intrabar",
    "cooldown",
    "limit",
    "between",
    "muted_by",
    "alert",
    "order",
    "sides",
    "tests",
)
"""The keys of a condition file, in the order in which they are usually written."""
ORDER_KEYS = ("side", "size", "price", "unfilled", "protect", "confirm")
ALERT_KEYS = ("severity", "chart")
CONFIRM_KEYS = ("within", "max_drift", "auto", "otherwise")

_CODE_LIKE = re.compile(r"[0-9A-Z]{6}|(KRX|UPBIT|BINANCE):.*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a condition file may refer to; None where that could not be read: not checked then.

    `named` are the mappings of all conditions and templates by their names, `shared` the named
    expressions of all files.
    """

    confirm: ConfirmSettings = field(default_factory=ConfirmSettings)
    universes: Collection[str] | None = None
    instruments: Mapping[InstrumentId, Instrument] | None = None
    named: Mapping[str, MapNode] = field(default_factory=dict)
    shared: tuple[Let, ...] = ()


def parse_condition(
    text: str, file: str = "condition.yaml", surroundings: Surroundings | None = None
) -> ConditionSpec:
    """Read the text of a file with one condition; raises ConfigError with every problem found."""
    first, *others = parse_conditions(text, file, surroundings)
    if others:
        raise ConfigError((Problem(file, 1, 1, "two conditions, a buy side and a sell side"),))
    return first


def parse_conditions(
    text: str, file: str = "condition.yaml", surroundings: Surroundings | None = None
) -> tuple[ConditionSpec, ...]:
    """Read the text of a condition file; raises ConfigError with every problem found."""
    return read_conditions(parse_yaml(text, file), surroundings or Surroundings())


def read_conditions(node: Node, surroundings: Surroundings) -> tuple[ConditionSpec, ...]:
    """Check the form of a condition file and return its condition, or those of its sides.

    Raises ConfigError with every problem found.
    """
    problems: list[Problem] = []
    whole = extended(node, surroundings.named, problems)
    specs = [_condition(one, surroundings, problems, side) for side, one in sides(whole, problems)]
    refuse(problems)
    return tuple(specs)


def read_template(node: Node, surroundings: Surroundings) -> None:
    """Check the keys of a template; what they hold is checked where it is used."""
    problems: list[Problem] = []
    Fields(node, KEYS, problems).value("template", read_truth, default=False)
    extended(node, surroundings.named, problems)
    refuse(problems)


def _condition(
    node: Node, surroundings: Surroundings, problems: list[Problem], side: str
) -> ConditionSpec:
    fields = Fields(node, KEYS, problems)
    name = fields.text("name")
    describe = fields.optional_text("describe")
    fields.optional_text("extends")
    fields.value("template", read_truth, default=False)
    lets = read_lets(fields, surroundings.shared)
    params = read_params(fields, lets)
    hold_bars, hold = read_hold(fields, params)
    fires_every_bar = read_every_bar(fields)
    on_unknown, unknown_bars = read_unknown(fields)
    return ConditionSpec(
        file=node.file,
        name=fields.value("name", read_name, "") if name.text else "",
        describe=describe.text.strip() if describe else "",
        universe=_universe(fields, surroundings),
        timeframe=_timeframe(fields),
        when=read_when(fields, node),
        hold_bars=hold_bars,
        clear=read_optional_rule(fields, "clear"),
        cooldown=read_cooldown(fields, fires_every_bar=fires_every_bar),
        limit_per_day=fields.value("limit", _limit, None),
        between=fields.value("between", _between, None),
        alert=_alert(fields),
        order=_order(fields, surroundings.confirm, side),
        tests=read_tests(fields),
        lets=lets,
        shared=surroundings.shared,
        params=params,
        keep_for=fields.value("keep_for", read_duration, timedelta(0)),
        expires=read_expires(fields, fires_every_bar=fires_every_bar),
        on_unknown=on_unknown,
        unknown_bars=unknown_bars,
        fires_every_bar=fires_every_bar,
        muted_by=read_muting(fields, surroundings.instruments),
        hold=hold,
        is_intrabar=fields.value("intrabar", read_truth, default=False),
        is_enabled=fields.value("enabled", read_truth, default=True),
        places=_places(node),
    )


def _places(node: Node) -> dict[str, Located]:
    """Return where each key has its value, or where the key is if that is a list or mapping."""
    entries = node.entries if isinstance(node, MapNode) else ()
    return {key.text: value if isinstance(value, Located) else key for key, value in entries}


def _universe(fields: Fields, surroundings: Surroundings) -> Located | tuple[InstrumentId, ...]:
    node = fields.node("universe")
    if isinstance(node, ListNode):
        return find_ids(node, surroundings.instruments, fields.problems)
    name = fields.text("universe")
    known = surroundings.universes
    if name.text and known is not None and name.text not in known:
        hint = suggestion(name.text, known)
        if _CODE_LIKE.fullmatch(name.text):
            hint = f"; write a list for single instruments: [{name.text}]"
        fields.problems.append(name.problem(f"unknown universe '{name.text}'{hint}"))
    return name


def _timeframe(fields: Fields) -> Timeframe:
    name = fields.text("timeframe")
    return fields.value("timeframe", read_timeframe, Timeframe.M5) if name.text else Timeframe.M5


def _limit(text: str) -> int | None:
    return read_limit(text)


def _between(text: str) -> tuple[time, time] | None:
    return read_between(text)


def _alert(fields: Fields) -> AlertSpec:
    node = fields.node("alert")
    if node is None:
        return AlertSpec()
    alert = Fields(node, ALERT_KEYS, fields.problems)
    severity = alert.choice("severity", ("low", "normal", "high"), "normal")
    return AlertSpec(cast("Severity", severity), alert.value("chart", read_truth, default=True))


def _order(fields: Fields, confirm: ConfirmSettings, of_side: str) -> OrderSpec | None:
    node = fields.node("order")
    if node is None:
        return None
    order = Fields(node, ORDER_KEYS, fields.problems)
    action = Action(order.choice("side", tuple(Action), of_side or None))
    if of_side and action.side != of_side:
        text = f"the {of_side} side cannot {action}; leave 'side' out"
        problem = order.text("side").problem(text)
        fields.problems.append(problem)
    size = order.text("size")
    price = order.optional_text("price")
    if price is not None and price.text == "market":
        price = None
    unfilled = read_unfilled(order, is_market=price is None)
    return OrderSpec(
        side=action.side,
        size=size,
        price=price,
        confirm=_confirm(order, confirm),
        unfilled=unfilled,
        protect=read_protect(order, action),
        position=action.position,
    )


def _confirm(order: Fields, defaults: ConfirmSettings) -> ConfirmSpec:
    default = ConfirmSpec(timedelta(seconds=defaults.within_seconds), defaults.max_drift)
    node = order.node("confirm")
    if node is None:
        return default
    confirm = Fields(node, CONFIRM_KEYS, order.problems)
    return ConfirmSpec(
        confirm.value("within", read_within, default.within),
        confirm.value("max_drift", read_drift, default.max_drift),
        confirm.value("auto", _auto, None),
        Otherwise(confirm.choice("otherwise", tuple(Otherwise), Otherwise.DROP)),
    )


def _auto(text: str) -> tuple[Decimal, str] | None:
    return read_auto(text)
