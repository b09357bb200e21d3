"""The errors of the product: each class says what the caller may do about it."""

from __future__ import annotations

from dataclasses import dataclass


class TicktalkError(Exception):
    """Root of every error that ticktalk raises on purpose; its text is fit for a person."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in what a user wrote: where it is and what.

    Lines and columns count from 1; line 0 tells that it is no place in a text, but `file` as a
    whole: a folder, an environment variable.
    """

    file: str
    line: int
    column: int
    message: str

    @classmethod
    def about(cls, what: str, message: str) -> Problem:
        """Return a problem with something as a whole."""
        return cls(what, 0, 0, message)

    @property
    def place(self) -> str:
        """Return where it is."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigError(TicktalkError):
    """What the user wrote cannot be used; mend the named places. Holds all problems at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class UsageError(TicktalkError):
    """A person asked for something that cannot be; `code` keys the text shown in chat."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(f"{code} {facts}" if facts else code)
        self.code = code
        self.facts = facts


class SourceError(TicktalkError):
    """A market source gave no usable answer; nothing may be concluded about the market."""


class SourceUnavailable(SourceError):
    """The source did not answer, or answered that it cannot now: try again later."""


class SourceChanged(SourceError):
    """The answer is not of the shape we know: do not retry, tell the operator."""


class OrderError(TicktalkError):
    """An order could not go its way; `code` is stable and keys the texts shown in chat."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class OrderRejected(OrderError):
    """The broker refused the order: it does not exist there."""


class OutcomeUnknown(OrderError):
    """The broker may or may not have the order: never resend, ask the broker."""


class IllegalTransition(TicktalkError):
    """An order was asked to go where the transition table does not lead: a fault in our code."""


class StoreError(TicktalkError):
    """The database cannot be used as asked; the text says how to mend it."""


class StoreFromFuture(StoreError):
    """The database was written by a newer ticktalk: upgrade the program, do not touch the file."""


class StoreFull(StoreError):
    """The disk is full: nothing of the transaction was kept; free space and try again."""


class StoreLocked(StoreError):
    """Another ticktalk is using this database."""
