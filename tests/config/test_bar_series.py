from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.bar_series import MOST_SLOTS, Absence, read_series
from config.strict_yaml import Located

if TYPE_CHECKING:
    from market.errors import Problem

NO, MISSING = Absence.NO_TRADE, Absence.MISSING


def slots(text: str) -> list[float | Absence]:
    problems: list[Problem] = []
    found = read_series(Located(text, "x.yaml", 3, 10), problems)
    assert problems == []
    return [one for one, _ in found]


def refused(text: str) -> str:
    problems: list[Problem] = []
    assert read_series(Located(text, "x.yaml", 3, 10), problems) == ()
    (problem,) = problems
    return f"{problem.line}:{problem.column}: {problem.message}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100_000", [100_000.0]),
        ("1.5 2", [1.5, 2.0]),
        ("7x3", [7.0, 7.0, 7.0]),
        ("5 _ 6 ? 7", [5.0, NO, 6.0, MISSING, 7.0]),
        ("_x2 ?x2", [NO, NO, MISSING, MISSING]),
        ("100..103", [100.0, 101.0, 102.0, 103.0]),
        ("103..101", [103.0, 102.0, 101.0]),
        ("1..2x5", [1.0, 1.25, 1.5, 1.75, 2.0]),
        ("1..2x11", [round(1 + tenth / 10, 1) for tenth in range(11)]),
        ("-5x2 -1..1 1_000", [-5.0, -5.0, -1.0, 0.0, 1.0, 1_000.0]),
        ("  1\n  2  ", [1.0, 2.0]),
        ("0", [0.0]),
        ("", []),
    ],
)
def test_series_are_read(text: str, expected: list[float | Absence]) -> None:
    assert slots(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100 1,000", "3:14: '1,000' is no piece of a series; write 100, 100x60, 100..110, _ or ?"),
        ("--5", "3:10: '--5' is no piece of a series; write 100, 100x60, 100..110, _ or ?"),
        ("5x0", "3:10: '5x0': from 1 to 4000 slots"),
        ("5x4001", "3:10: '5x4001': from 1 to 4000 slots"),
        ("5x99999999999", "3:10: '5x99999999999': from 1 to 4000 slots"),
        ("5x3000 6x1001", "3:17: more than 4_000 slots"),
        ("1..2.5", "3:10: '1..2.5' does not end on a step of 1; say how many: 1..2.5x5"),
        ("1..1", "3:10: '1..1': a run has from 2 to 4000 slots"),
        ("1..5x1", "3:10: '1..5x1': a run has from 2 to 4000 slots"),
        ("1..9000", "3:10: '1..9000': a run has from 2 to 4000 slots"),
        ("1..999999999999999", "3:10: '1..999999999999999': a run has from 2 to 4000 slots"),
        ("_..3", "3:10: '_..3': a run goes from a number to a number"),
        ("1" * 400, f"3:10: '{'1' * 400}' is far too large"),
    ],
)
def test_what_is_no_series_is_told_with_its_place(text: str, message: str) -> None:
    assert refused(text) == message


def test_each_slot_knows_its_piece() -> None:
    found = read_series(Located("5x2 _ 6", "x.yaml", 1, 1), [])
    assert found == ((5.0, 0), (5.0, 0), (NO, 4), (6.0, 6))


def test_the_longest_series_is_read() -> None:
    assert len(slots(f"5x{MOST_SLOTS}")) == MOST_SLOTS
