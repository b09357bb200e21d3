"""Tests of the page that lists every indicator: its examples compile and mention their subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.engine import evaluate
from conditions.indicators import EVENTS, INDICATORS, SHORTHANDS
from conditions.indicators.pages import indicator_pages
from tests.conditions.random_bars import walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition
    from market.panel import Panel

EXAMPLES = {
    name: registry.get(name).example
    for registry in (INDICATORS, EVENTS, SHORTHANDS)
    for name in registry
}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_compiles_and_comes_to_a_verdict(
    name: str, compiled: Callable[..., Condition], panel_of: Callable[..., Panel]
) -> None:
    assert f"{name}(" in EXAMPLES[name]
    condition = compiled(EXAMPLES[name])
    assert condition.depth <= 400
    panel = panel_of(walk(5, 400), volumes=walk(6, 400).tolist())
    assert evaluate(condition, panel, np.array([0])).when[0] != 0


def test_the_page_has_a_section_with_an_example_for_each() -> None:
    page = indicator_pages()
    for name, example in EXAMPLES.items():
        assert f"\n### {name}\n" in page
        assert f"- example: `{example}`\n" in page
