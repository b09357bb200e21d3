"""Tests that conditions are ready before their first bar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conditions.indicators import EVENTS, INDICATORS, SHORTHANDS
from conditions.ready import make_ready
from conditions.series import Indicated
from conditions.truths import Compared

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition


def test_the_kernels_of_conditions_are_run_once(compiled: Callable[..., Condition]) -> None:
    condition = compiled("wma(close, 5) > 1")
    assert isinstance(condition.when, Compared)
    series = condition.when.left
    assert isinstance(series, Indicated)
    shapes: list[tuple[int, ...]] = []

    def watched(*given: Any) -> Any:
        shapes.append(given[0].shape)
        return series.indicator.kernel(*given)

    left = replace(series, indicator=replace(series.indicator, kernel=watched))
    make_ready([replace(condition, when=replace(condition.when, left=left))])
    assert shapes == [(1, 8)]


@pytest.mark.parametrize("registry", [INDICATORS, EVENTS, SHORTHANDS], ids=lambda one: one.word)
def test_whatever_a_condition_uses_can_be_made_ready(
    registry: Any, compiled: Callable[..., Condition]
) -> None:
    make_ready(compiled(registry.get(name).example) for name in registry)
