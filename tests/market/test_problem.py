"""A problem says where it is, unless it is with something that is no text."""

from __future__ import annotations

from market.errors import Problem


def test_a_problem_in_a_file_has_line_and_column() -> None:
    problem = Problem("a.yaml", 3, 7, "unknown key 'x'")
    assert problem.place == "a.yaml:3:7"
    assert str(problem) == "a.yaml:3:7: unknown key 'x'"


def test_a_problem_with_a_whole_has_no_line() -> None:
    problem = Problem.about("environment variable X", "is no number")
    assert problem.place == "environment variable X"
    assert str(problem) == "environment variable X: is no number"
