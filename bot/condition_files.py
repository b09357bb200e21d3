"""What edited condition files come to: read, compiled, and tested as `ticktalk check` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.plugins import compile_library
from conditions.findings import errors
from conditions.lint import lint
from conditions.ready import make_ready
from conditions.trial_report import failed_tests
from config.load import reload
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from conditions.compile import Condition
    from config.load import Config
    from market.errors import Problem


@dataclass(frozen=True, slots=True)
class Found:
    """What the files say; where there are problems, nothing of it may be used."""

    config: Config
    conditions: tuple[Condition, ...] = ()
    problems: tuple[Problem, ...] = ()


class ConditionFiles:
    """Reads the files of a configuration again; what it has read well once is not tested again.

    `resolve` puts in the members of universes that the files do not tell.
    """

    def __init__(
        self, config: Config, resolve: Callable[[Config], Config] = lambda config: config
    ) -> None:
        self._config = config
        self._resolve = resolve
        self._tested = {spec.name: spec for spec in (*config.conditions, *config.off)}

    def find(self) -> Found:
        """Return what the files say now."""
        try:
            config = self._resolve(reload(self._config))
            library = compile_library(config)
        except ConfigError as error:
            return Found(self._config, problems=error.problems)
        untested = [one for one in library if self._tested.get(one.name) != one.spec]
        problems = tuple(self._faults(untested))
        if problems:
            return Found(self._config, problems=problems)
        self._tested = {one.name: one.spec for one in library}
        conditions = tuple(one for one in library if one.spec.is_enabled)
        make_ready(conditions)
        return Found(config, conditions)

    def _faults(self, conditions: Iterable[Condition]) -> Iterator[Problem]:
        history = self._config.settings.crawl.history_bars
        for condition in conditions:
            yield from errors(lint(condition))
            yield from failed_tests(condition, history)
