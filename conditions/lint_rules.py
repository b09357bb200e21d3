"""Looks for branches of a rule that can never be, always are, or add nothing to the others."""

from __future__ import annotations

from itertools import combinations
from math import isfinite
from typing import TYPE_CHECKING

from conditions.bounds import bounds
from conditions.facts import NOTHING, holds_now, implies, is_all, joined
from conditions.findings import Finding, Severity
from conditions.truths import Joined, Lasting, Opposite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.facts import Facts
    from conditions.findings import Places
    from conditions.series import Series
    from conditions.truths import Truth


def rule_findings(truth: Truth, places: Places) -> tuple[Finding, ...]:
    """Return what is found in one rule; where it can never be true, that is an error."""
    walker = _Walker(places, can_be=joined(truth, NOTHING) is not None)
    walker.walk(truth, NOTHING, is_denied=False)
    found = walker.findings
    if walker.worst is Severity.ERROR:
        if all(one.severity is not Severity.ERROR for one in found.values()):
            walker.report(truth, f"'{truth.text}' can never be true", Severity.ERROR)
    elif not found and joined(truth, NOTHING, is_denied=True) is None:
        walker.report(truth, f"'{truth.text}' is always true", Severity.WARNING)
    return tuple(found.values())


class _Walker:
    """Goes through a rule; `facts` are what must hold besides, `is_denied` that `not` is above."""

    def __init__(self, places: Places, *, can_be: bool) -> None:
        self.findings: dict[str, Finding] = {}
        self.worst = Severity.WARNING if can_be else Severity.ERROR
        self._places = places

    def report(self, truth: Truth, message: str, severity: Severity, occurrence: int = 0) -> None:
        problem = self._places.problem(truth, message, occurrence)
        self.findings.setdefault(str(problem), Finding(severity, problem))

    def walk(self, truth: Truth, facts: Facts, *, is_denied: bool) -> None:
        match truth:
            case Opposite(source=source):
                self.walk(source, facts, is_denied=not is_denied)
            case Joined() if is_all(truth, is_denied=is_denied):
                self._all(_parts(truth), facts, is_denied=is_denied)
            case Joined():
                self._any(_parts(truth), facts, is_denied=is_denied)
            case Lasting(source=source):
                known = facts if holds_now(truth, is_denied=is_denied) else NOTHING
                self.walk(source, known, is_denied=is_denied)
            case _ if truth.parts:  # a sum of verdicts: none of them must hold
                for part in truth.parts:
                    self.walk(part, NOTHING, is_denied=is_denied)
            case _:
                self._leaf(truth, is_denied=is_denied)

    def _leaf(self, truth: Truth, *, is_denied: bool) -> None:
        if joined(truth, NOTHING) is None:
            severity = Severity.WARNING if is_denied else self.worst
            self.report(truth, f"'{truth.text}' can never be true{_why(truth)}", severity)
        elif joined(truth, NOTHING, is_denied=True) is None:
            severity = self.worst if is_denied else Severity.WARNING
            self.report(truth, f"'{truth.text}' is always true{_why(truth)}", severity)

    def _all(self, parts: Sequence[Truth], facts: Facts, *, is_denied: bool) -> None:
        for one, other in combinations(parts, 2):
            if self._are_twins(one, other) or not _can_be((one, other), is_denied=is_denied):
                continue
            known = joined(one, NOTHING, is_denied=is_denied)
            if known is not None and joined(other, known, is_denied=is_denied) is None:
                state = "false" if is_denied else "true"
                message = f"'{other.text}' can never be {state} together with '{one.text}'"
                self.report(other, message, self.worst)
            else:
                self._idle(other, one, is_denied=is_denied)
        for part in parts:
            self.walk(part, _beside(part, parts, facts, is_denied=is_denied), is_denied=is_denied)

    def _any(self, parts: Sequence[Truth], facts: Facts, *, is_denied: bool) -> None:
        for one, other in combinations(parts, 2):
            if not self._are_twins(one, other) and _can_be((one, other), is_denied=is_denied):
                self._idle(one, other, is_denied=not is_denied)
        for part in parts:
            is_dead = joined(part, facts, is_denied=is_denied) is None
            if is_dead and _can_be((part,), is_denied=is_denied):
                state = "false" if is_denied else "true"
                message = f"'{part.text}' can never be {state} beside what else must hold"
                self.report(part, message, self.worst)
            else:
                self.walk(part, facts, is_denied=is_denied)

    def _are_twins(self, one: Truth, other: Truth) -> bool:
        """Tell whether both mean the same, after reporting the second of them."""
        if one.node != other.node:
            return False
        occurrence = 1 if one.text == other.text else 0
        self.report(other, f"'{other.text}' is written twice", Severity.WARNING, occurrence)
        return True

    def _idle(self, first: Truth, second: Truth, *, is_denied: bool) -> None:
        """Report the one of two in `all` that follows from the other; `any` asks it denied."""
        for idle, other in ((first, second), (second, first)):
            if implies(other, idle, is_denied=is_denied):
                where = "only where" if is_denied else "wherever"
                message = f"'{idle.text}' adds nothing: it is true {where} '{other.text}' is"
                self.report(idle, message, Severity.WARNING)
                return


def _parts(truth: Joined) -> list[Truth]:
    """Return the parts, with those of parts joined by the same word in their place."""
    found: list[Truth] = []
    for one in truth.sources:
        if isinstance(one, Joined) and one.word == truth.word:
            found += _parts(one)
        else:
            found.append(one)
    return found


def _beside(part: Truth, parts: Sequence[Truth], facts: Facts, *, is_denied: bool) -> Facts:
    """Return the facts that the other parts tell, as far as they go together."""
    for other in parts:
        if other is not part:
            found = joined(other, facts, is_denied=is_denied)
            facts = facts if found is None else found
    return facts


def _can_be(parts: Sequence[Truth], *, is_denied: bool) -> bool:
    """Tell whether each part can be true alone, and false: else it is reported by itself."""
    return all(
        joined(one, NOTHING, is_denied=is_denied) is not None
        and joined(one, NOTHING, is_denied=not is_denied) is not None
        for one in parts
    )


def _why(truth: Truth) -> str:
    """Return why a comparison is decided beforehand, as far as that is in one of its sides."""
    keys = [one.key for one in truth.operands]
    if len(keys) == 2 and keys[0] == keys[1]:
        return ": both sides are the same"
    return "".join(_span(one) for one in truth.operands)


def _span(series: Series) -> str:
    found = bounds(series)
    if found.is_point or not (isfinite(found.low) or isfinite(found.high)):
        return ""
    if not isfinite(found.high):
        least = "0 or less" if 0 < found.low < 1e-6 else None
        return f"; '{series.key}' is never {least or f'below {found.low:g}'}"
    if not isfinite(found.low):
        return f"; '{series.key}' is never above {found.high:g}"
    return f"; '{series.key}' goes from {found.low + 0:g} to {found.high + 0:g}"
