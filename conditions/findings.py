"""What lint finds in a condition, and where in its file that is."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from conditions.leaves import leaves
from config.strict_yaml import Located
from market.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conditions.truths import Truth
    from config.condition_file import ConditionSpec


class Severity(StrEnum):
    """How bad a finding is: with an error the condition cannot do what it is there for."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is surely not meant, with its place."""

    severity: Severity
    problem: Problem

    def __str__(self) -> str:
        return f"{self.problem.place}: {self.severity}: {self.problem.message}"


def errors(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """Return the problems that keep their conditions from being used."""
    return tuple(one.problem for one in findings if one.severity is Severity.ERROR)


class Places:
    """Finds where the words of a verdict stand in a rule of a file."""

    def __init__(self, rule: object, file: str) -> None:
        self._texts = tuple(_texts(rule))
        self._file = file

    def problem(self, truth: Truth, message: str, occurrence: int = 0) -> Problem:
        """Return a problem where the verdict is written, for the second time where it is 1."""
        for words in (one.written or one.text for one in (truth, *leaves(truth))):
            found = list(self._find(words))
            if found:
                located, offset = found[min(occurrence, len(found) - 1)]
                return located.problem(message, offset)
        if self._texts:
            return self._texts[0].problem(message)
        return Problem(self._file, 1, 1, message)

    def of_words(self, words: str, message: str) -> Problem | None:
        """Return a problem where these words stand first, None where they do not."""
        found = next(self._find(words), None)
        return None if found is None else found[0].problem(message, found[1])

    def _find(self, words: str) -> Iterator[tuple[Located, int]]:
        pattern = r"\s+".join(map(re.escape, words.split()))
        for located in self._texts:
            for match in re.finditer(rf"(?<![\w.]){pattern}(?![\w.])", located.text):
                yield located, match.start()


def key_problem(spec: ConditionSpec, key: str, message: str) -> Problem:
    """Return a problem with the value of a key, at the top of the file where it has its default."""
    located = spec.places.get(key)
    return Problem(spec.file, 1, 1, message) if located is None else located.problem(message)


def _texts(rule: object) -> Iterator[Located]:
    """Yield the expressions of a rule in order, however it is made up."""
    if isinstance(rule, Located):
        yield rule
    elif isinstance(rule, tuple):
        for one in rule:
            yield from _texts(one)
    elif is_dataclass(rule):
        for field in fields(rule):
            yield from _texts(getattr(rule, field.name))
