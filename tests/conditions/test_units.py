"""Tests of what may be compared, added, multiplied and divided."""

from __future__ import annotations

import pytest

from conditions.units import Unit, joined, product, quotient


@pytest.mark.parametrize(
    ("left", "right", "unit"),
    [
        (Unit.PRICE, Unit.PRICE, Unit.PRICE),
        (Unit.PRICE, Unit.NUMBER, Unit.PRICE),
        (Unit.MONEY, Unit.PRICE, Unit.PRICE),
        (Unit.VALUE, Unit.MONEY, Unit.VALUE),
        (Unit.PRICE, Unit.VALUE, None),
        (Unit.MONEY, Unit.VOLUME, None),
        (Unit.RATIO, Unit.POINTS, None),
        (Unit.TIME, Unit.NUMBER, Unit.TIME),
        (Unit.CLOCK, Unit.CLOCK, Unit.CLOCK),
        (Unit.CLOCK, Unit.NUMBER, None),
        (Unit.CLOCK, Unit.TIME, None),
    ],
)
def test_joined_adapts_bare_numbers_and_money(left: Unit, right: Unit, unit: Unit | None) -> None:
    assert joined(left, right) is unit
    assert joined(right, left) is unit


@pytest.mark.parametrize(
    ("left", "right", "unit"),
    [
        (Unit.PRICE, Unit.VOLUME, Unit.VALUE),
        (Unit.MONEY, Unit.VOLUME, Unit.VALUE),
        (Unit.RATIO, Unit.VALUE, Unit.VALUE),
        (Unit.NUMBER, Unit.NUMBER, Unit.NUMBER),
        (Unit.NUMBER, Unit.RATIO, Unit.RATIO),
        (Unit.PRICE, Unit.PRICE, None),
        (Unit.CLOCK, Unit.NUMBER, None),
    ],
)
def test_product_is_the_same_both_ways(left: Unit, right: Unit, unit: Unit | None) -> None:
    assert product(left, right) is unit
    assert product(right, left) is unit


@pytest.mark.parametrize(
    ("left", "right", "unit"),
    [
        (Unit.PRICE, Unit.PRICE, Unit.RATIO),
        (Unit.VALUE, Unit.VOLUME, Unit.PRICE),
        (Unit.VALUE, Unit.PRICE, Unit.VOLUME),
        (Unit.MONEY, Unit.PRICE, Unit.NUMBER),
        (Unit.PRICE, Unit.NUMBER, Unit.PRICE),
        (Unit.NUMBER, Unit.NUMBER, Unit.NUMBER),
        (Unit.NUMBER, Unit.PRICE, None),
        (Unit.VOLUME, Unit.VALUE, None),
        (Unit.CLOCK, Unit.CLOCK, None),
    ],
)
def test_quotient_of_units(left: Unit, right: Unit, unit: Unit | None) -> None:
    assert quotient(left, right) is unit
