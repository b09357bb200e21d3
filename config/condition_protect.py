"""`protect` of an order: what ends the position that it opens."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from config.fields import Fields
from config.strict_yaml import ListNode, Located
from config.values import read_duration, read_ratio, read_truth
from market.orders import Action
from market.protect import Protect, Rung

if TYPE_CHECKING:
    from datetime import timedelta

    from config.strict_yaml import Node

ENDS = ("stop_loss", "take_profit", "trailing_stop", "time_stop")
PROTECT_KEYS = (*ENDS, "at_venue")
RUNG_KEYS = ("at", "sell")
MOST_RUNGS = 10
ONE = Decimal(1)


def read_protect(order: Fields, action: Action) -> Protect | None:
    """Read the key `protect` of an order; None where it is not written."""
    node = order.node("protect")
    if node is None:
        return None
    fields = Fields(node, PROTECT_KEYS, order.problems)
    found = Protect(
        stop_loss=fields.value("stop_loss", _fall, None),
        ladder=_ladder(fields),
        trailing_stop=fields.value("trailing_stop", _fall, None),
        time_stop=fields.value("time_stop", _time, None),
        at_venue=fields.value("at_venue", read_truth, True),
    )
    if not action.is_entry:
        text = "only what opens a position (buy, short) can be protected; write it there"
        order.problems.append(node.problem(text))
    elif action is Action.SHORT and any(rung.at >= 1 for rung in found.ladder):
        order.problems.append(node.problem("a short position gains less than 100%"))
    elif all(fields.node(key) is None for key in ENDS):
        order.problems.append(node.problem(f"'protect' needs one of {', '.join(ENDS)}"))
    elif fields.node("at_venue") is not None and fields.node("stop_loss") is None:
        text = "only a 'stop_loss' can rest at the venue; write one, or leave 'at_venue' out"
        order.problems.append(fields.text("at_venue").problem(text))
    return found


def _ladder(fields: Fields) -> tuple[Rung, ...]:
    node = fields.node("take_profit")
    if node is None:
        return ()
    if isinstance(node, Located):
        at = fields.value("take_profit", _gain, ONE)
        return (Rung(at, ONE),)
    if not isinstance(node, ListNode):
        fields.problems.append(node.problem("'take_profit' must be a share or a list of rungs"))
        return ()
    rungs = tuple(_rung(one, fields) for one in node.items)
    _check_ladder(node, rungs, fields)
    return rungs


def _rung(node: Node, fields: Fields) -> Rung:
    rung = Fields(node, RUNG_KEYS, fields.problems)
    rung.text("at")
    rung.text("sell")
    return Rung(rung.value("at", _gain, ONE), rung.value("sell", _share, ONE))


def _check_ladder(node: ListNode, rungs: tuple[Rung, ...], fields: Fields) -> None:
    if len(rungs) > MOST_RUNGS:
        fields.problems.append(node.problem(f"a ladder has at most {MOST_RUNGS} rungs"))
    gains = [rung.at for rung in rungs]
    if gains != sorted(set(gains)):
        fields.problems.append(node.problem("the rungs must rise: each 'at' above the one before"))
    sold = sum((rung.sell for rung in rungs), start=Decimal(0))
    if len(rungs) > 1 and sold > 1:
        fields.problems.append(node.problem("the rungs sell more than 100% of the position"))


def _fall(text: str) -> Decimal | None:
    found = read_ratio(text)
    if not 0 < found < 1:
        raise ValueError(f"'{text}' must lie between 0% and 100%")
    return found


def _gain(text: str) -> Decimal:
    found = read_ratio(text)
    if not 0 < found <= 100:
        raise ValueError(f"'{text}' must be a gain above 0%")
    return found


def _share(text: str) -> Decimal:
    found = read_ratio(text)
    if not 0 < found <= 1:
        raise ValueError(f"'{text}' must be above 0% and at most 100%")
    return found


def _time(text: str) -> timedelta | None:
    found = read_duration(text)
    if not found:
        raise ValueError(f"'{text}' must be longer than nothing")
    return found
