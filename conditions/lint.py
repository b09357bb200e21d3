"""Finds what is surely not meant in a condition that compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.facts import implies
from conditions.findings import Finding, Places, Severity, key_problem
from conditions.lint_forming import forming_findings
from conditions.lint_hours import hours_findings
from conditions.lint_rules import rule_findings
from conditions.lint_told import told_findings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from conditions.compile import Condition
    from config.condition_file import ConditionSpec, Rule


def lint(condition: Condition) -> tuple[Finding, ...]:
    """Return what is found in a condition, in the order of its file."""
    spec = condition.spec
    findings = [
        *rule_findings(condition.when, _places(condition, spec.when)),
        *_clearing(condition),
        *hours_findings(spec, condition.reference.members(spec) or ()),
        *told_findings(condition, _places(condition, (spec.when, spec.clear))),
        *forming_findings(condition, _places(condition, spec.when)),
    ]
    if not spec.tests:
        problem = key_problem(spec, "name", f"condition '{spec.name}' has no tests")
        findings.append(Finding(Severity.NOTE, problem))
    return tuple(sorted(findings, key=lambda one: (one.problem.line, one.problem.column)))


def lint_all(conditions: Sequence[Condition]) -> tuple[Finding, ...]:
    """Return what is found in conditions and between them, one after the other."""
    off = {one.name for one in conditions if not one.spec.is_enabled}
    return tuple(finding for one in conditions for finding in (*lint(one), *_muting(one.spec, off)))


def _muting(spec: ConditionSpec, off: Collection[str]) -> Iterator[Finding]:
    """Yield that a condition which is watched is silenced by one that never fires."""
    muting = spec.muted_by
    if muting is not None and spec.is_enabled and muting.condition.text in off:
        message = f"'{muting.condition.text}' is off (enabled: false), so that it silences nothing"
        yield Finding(Severity.WARNING, muting.condition.problem(message))


def _clearing(condition: Condition) -> Iterator[Finding]:
    if condition.clear is None:
        return
    places = _places(condition, condition.spec.clear)
    yield from rule_findings(condition.clear, places)
    if implies(condition.when, condition.clear):
        message = f"'{condition.clear.text}' is true wherever 'when' is, so it holds nothing back"
        yield Finding(Severity.WARNING, places.problem(condition.clear, message))


def _places(condition: Condition, rule: Rule | tuple[Rule | None, ...] | None) -> Places:
    spec = condition.spec
    return Places((rule, spec.lets, spec.shared), spec.file)
