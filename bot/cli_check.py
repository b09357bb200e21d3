"""`ticktalk check`: everything a user wrote is read, compiled and tested; all mistakes at once."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # click looks at the types of a command
from typing import TYPE_CHECKING

import click

from bot.console import config_option, counted, errors_for_people, load_config
from config.load import members
from market.currency import COUNTED, currency_of
from market.errors import ConfigError
from market.orders import Action
from market.segments import may_be_short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conditions.compile import Condition
    from conditions.coverage import Coverage
    from config.condition_file import ConditionSpec
    from config.load import Config

MOST_NAMED = 5


@click.command()
@config_option
@click.option("--verbose", is_flag=True, help="List the outcomes that no test brings about.")
def check(config_path: Path | None, *, verbose: bool) -> None:
    """Validate settings, universes and conditions, and run their tests; show every mistake."""
    from bot.plugins import compile_library  # noqa: PLC0415  # --help need not load numba
    from bot.universe_members import with_stored_universes  # noqa: PLC0415  # likewise
    from conditions.findings import Severity, errors  # noqa: PLC0415  # likewise
    from conditions.lint import lint_all  # noqa: PLC0415  # likewise
    from conditions.trial_report import failed_tests  # noqa: PLC0415  # likewise

    with errors_for_people():
        config = with_stored_universes(load_config(config_path))
        compiled = compile_library(config)
        history = config.settings.crawl.history_bars
        findings = lint_all(compiled)
        problems = list(errors(findings))
        problems += [one for condition in compiled for one in failed_tests(condition, history)]
        if problems:
            raise ConfigError(tuple(problems))
        for line in _lines(config, compiled, verbose=verbose):
            click.echo(line)
        for one in findings:
            if verbose or one.severity is Severity.WARNING:
                click.echo(one)


def _lines(config: Config, compiled: tuple[Condition, ...], *, verbose: bool) -> Iterator[str]:
    from conditions.coverage import coverage  # noqa: PLC0415  # --help need not load numba

    yield f"{config.folder}: all is well"
    yield f"  {len(config.universes)} universes: {', '.join(sorted(config.universes))}"
    for condition in compiled:
        does = _does(condition.spec)
        covered = coverage(condition, config.settings.crawl.history_bars)
        yield f"  {condition.name} ({condition.timeframe}): {does}; {_tested(covered)}"
        yield from _unpaid(config, condition.spec)
        yield from _never_short(config, condition.spec)
        if verbose:
            yield from _missing(covered)


def _does(spec: ConditionSpec) -> str:
    if not spec.is_enabled:
        return "off"
    return f"proposes to {spec.order.action}" if spec.order is not None else "alerts"


def _unpaid(config: Config, spec: ConditionSpec) -> Iterator[str]:
    """Yield a line where an order would be refused whatever happens: its money is not counted."""
    if not spec.is_enabled or spec.order is None:
        return
    names = [one for one in members(config, spec) if currency_of(one) not in COUNTED]
    if names:
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        paid = " or ".join(COUNTED)
        shown = ", ".join(names[:MOST_NAMED]) + more
        yield f"    only alerts for what is not paid in {paid}, which cannot be ordered: {shown}"


def _never_short(config: Config, spec: ConditionSpec) -> Iterator[str]:
    """Yield a line where a short order would be refused: by its instruments, or by the settings."""
    if not spec.is_enabled or spec.order is None or spec.order.action is not Action.SHORT:
        return
    others = [one for one in members(config, spec) if not may_be_short(one)]
    if others:
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        shown = ", ".join(others[:MOST_NAMED]) + more
        yield f"    only alerts for what cannot be sold short (only USDT-M futures can): {shown}"
    if not config.settings.risk.shorts:
        yield "    its orders are denied: opening short positions is off (risk.shorts: false)"


def _tested(covered: Coverage) -> str:
    if not covered.tests:
        return "no tests"
    outcomes = f"{covered.reached} of {counted(covered.outcomes, 'outcome')}"
    return f"{counted(covered.tests, 'test')}, {outcomes}"


def _missing(covered: Coverage) -> Iterator[str]:
    for branch in covered.branches:
        if branch.missing:
            words = " and never ".join(one.name.lower() for one in branch.missing)
            yield f"    in {branch.key}, never {words}: {branch.text}"
