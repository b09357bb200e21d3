"""Why a condition fires on an instrument or does not: its tree with every value."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.distance import is_measured, operator_of, shortfall
from conditions.engine import Verdicts, evaluate, evaluate_columns
from conditions.explain import shown_unit
from conditions.lifecycle import States, step
from conditions.series import Constant, Series
from conditions.truths import Compared, Happened, Joined, Lasting, Opposite, Truth
from conditions.view import View
from conditions.waits import Standing, waits
from market.signals import LifecycleState, Phase
from market.types import Verdict, from_ms

if TYPE_CHECKING:
    from datetime import datetime

    from conditions.compile import Condition
    from conditions.waits import Moment, Wait
    from market.panel import Panel
    from market.types import InstrumentId, Timeframe

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Operand:
    """A number of a comparison on the newest bar (NaN: unknown) and the numbers it is made of.

    `unit` as in Leaf; `needs` is how many own bars its value takes; `is_written` tells that the
    user wrote the number itself.
    """

    text: str
    value: float
    unit: str
    needs: int = 1
    is_written: bool = False
    parts: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a condition with its verdict on the newest bar.

    `word` is `all`, `any`, `not`, `for`, `within`, `compare`, `event` or `other`. A comparison or
    event has two `operands` in `unit` and a `gap`: how far the left one must still move, negative
    by how much it holds, NaN where that is unknown. A crossing also has the values `before`, one
    bar ago. Of `for` and `within` N bars `needs` is N; `held` counts the bars on which the part is
    true: in a row up to the newest one, or among the N.
    """

    word: str
    text: str
    verdict: Verdict
    parts: tuple[Branch, ...] = ()
    operands: tuple[Operand, ...] = ()
    operator: str = ""
    unit: str = ""
    gap: float = nan
    before: tuple[float, ...] = ()
    held: int = 0
    needs: int = 0

    @property
    def gap_ratio(self) -> float:
        """Return the gap as a ratio of the right side, NaN where that is 0 or unknown."""
        right = self.operands[1].value if len(self.operands) == 2 else nan
        return self.gap / abs(right) if right and isfinite(right) else nan


@dataclass(frozen=True, slots=True)
class Why:
    """Why a condition fires on an instrument's newest bar, or does not.

    `verdict` is that of `when`, `state` the standing after the bar, `fires` whether the condition
    fired on it. `held` is how many own bars in a row `when` has been true. `bar_start` is None
    where there is no bar.
    """

    condition: str
    instrument: InstrumentId
    timeframe: Timeframe
    bar_start: datetime | None
    close: float
    verdict: Verdict
    when: Branch
    clear: Branch | None
    held: int
    state: LifecycleState
    fires: bool
    waits: tuple[Wait, ...]


def why(condition: Condition, panel: Panel, row: int, state: LifecycleState, moment: Moment) -> Why:
    """Return the reasons for what the condition does on a row's newest bar.

    `state` may be from before that bar or from after it.
    """
    verdicts = evaluate(condition, panel, np.array([row], dtype=np.int64))
    start_ms = int(panel.starts[row, -1])
    end_ms = start_ms + int(panel.timeframe.length.total_seconds() * 1000)
    after, fires = stepped(condition, state, verdicts, start_ms, end_ms)
    verdict = Verdict(int(verdicts.when[0]))
    standing = Standing(condition, panel, row, verdict, after, start_ms, end_ms)
    tree = _Tree(panel, row)
    return Why(
        condition=condition.name,
        instrument=panel.instruments[row],
        timeframe=panel.timeframe,
        bar_start=from_ms(start_ms) if start_ms else None,
        close=float(panel.close[row, -1]),
        verdict=verdict,
        when=tree.branch(condition.when),
        clear=tree.branch(condition.clear) if condition.clear is not None else None,
        held=_held(condition, panel, row),
        state=after,
        fires=fires,
        waits=waits(standing, moment),
    )


def stepped(
    condition: Condition, state: LifecycleState, verdicts: Verdicts, start_ms: int, end_ms: int
) -> tuple[LifecycleState, bool]:
    """Return the state after the bar that starts then, and whether the condition fired on it.

    A state that has seen the bar stays as it is.
    """
    if start_ms <= state.bar_ms:
        return state, state.phase is Phase.FIRING and state.fired_ms == end_ms
    states = States.from_mapping({"": state}, [""])
    start, end = (np.array([at], dtype=np.int64) for at in (start_ms, end_ms))
    found = step(condition, states, np.array([0]), verdicts, start, end)
    return found.states.to_mapping([""], np.array([0]))[""], bool(len(found.fired))


def replayed(condition: Condition, panel: Panel, row: int) -> LifecycleState:
    """Return the state after all bars that the panel holds of a row, begun before the first."""
    count = int(panel.counts[row])
    state = LifecycleState()
    if not count:
        return state
    columns = evaluate_columns(condition, panel, np.array([row], dtype=np.int64), count)
    starts = panel.starts[row, panel.depth - count :].tolist()
    length_ms = int(panel.timeframe.length.total_seconds() * 1000)
    for place, start in enumerate(starts):
        verdicts = Verdicts(columns.when[:, place], columns.clear[:, place])
        state, _ = stepped(condition, state, verdicts, start, start + length_ms)
    return state


def _held(condition: Condition, panel: Panel, row: int) -> int:
    count = int(panel.counts[row])
    if not count:
        return 0
    verdicts = evaluate_columns(condition, panel, np.array([row], dtype=np.int64), count).when[0]
    return _in_a_row(verdicts)


def _in_a_row(verdicts: Array) -> int:
    """Return on how many of the newest bars in a row the verdict is true."""
    others = np.flatnonzero(verdicts[::-1] != 1)
    return int(others[0]) if len(others) else len(verdicts)


class _Tree:
    """Reads a condition's nodes on the newest bar of one row."""

    def __init__(self, panel: Panel, row: int) -> None:
        self._view = View(panel, np.array([row], dtype=np.int64), {})
        self._is_missing = bool(panel.missing[row])

    def branch(self, truth: Truth) -> Branch:
        """Return the node with all that is below it."""
        match truth:
            case Compared() | Happened():
                return self._leaf(truth)
            case Lasting(word=word, length=length):
                return self._node(truth, word, self._lasted(truth), length)
            case Joined(word=word):
                return self._node(truth, "all" if word == "and" else "any")
            case Opposite():
                return self._node(truth, "not")
            case _:
                return self._node(truth, "other")

    def _node(self, truth: Truth, word: str, held: int = 0, needs: int = 0) -> Branch:
        return Branch(
            word,
            truth.text,
            self._verdict(truth),
            tuple(self.branch(part) for part in truth.parts),
            tuple(self._operand(one) for one in truth.operands),
            held=held,
            needs=needs,
        )

    def _leaf(self, leaf: Compared | Happened) -> Branch:
        operator, is_event = operator_of(leaf), isinstance(leaf, Happened)
        has_before = is_event and is_measured(operator)  # a crossing
        sides = [one.values(self._view, 2)[0, -2:] for one in leaf.operands]
        return Branch(
            "event" if is_event else "compare",
            leaf.text,
            self._verdict(leaf),
            operands=tuple(self._operand(one) for one in leaf.operands),
            operator=operator,
            unit=shown_unit(leaf.unit),
            gap=float(shortfall(operator, *(side[-1:] for side in sides))[0]),
            before=tuple(float(side[0]) for side in sides) if has_before else (),
        )

    def _operand(self, series: Series) -> Operand:
        return Operand(
            text=series.key,
            value=float(series.values(self._view, 1)[0, -1]),
            unit=shown_unit(series.unit),
            needs=series.warm_up,
            is_written=isinstance(series, Constant),
            parts=tuple(self._operand(part) for part in series.parts),
        )

    def _lasted(self, lasting: Lasting) -> int:
        verdicts = lasting.source.verdicts(self._view, lasting.length)[0, -lasting.length :]
        return _in_a_row(verdicts) if lasting.word == "for" else int((verdicts == 1).sum())

    def _verdict(self, truth: Truth) -> Verdict:
        if self._is_missing:
            return Verdict.UNKNOWN
        return Verdict(int(truth.verdicts(self._view, 1)[0, -1]))
