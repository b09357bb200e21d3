"""What differs between two sets of conditions, and which of it begins anew."""

from __future__ import annotations

import pytest

from bot.changes import Changes, changes
from conditions.compile import compile_condition
from config.condition_reader import parse_condition

BEFORE = (
    "name: one\nuniverse: [KRX:005930]\ntimeframe: 5m\nwhen: close > 110\n"
    "order: {side: buy, size: 500_000 KRW}\n"
)
Members = tuple[str, ...]


def one(text: str = BEFORE, members: Members = ("KRX:005930",)) -> list[object]:
    """Return a set of one condition."""
    return [(compile_condition(parse_condition(text, "one.yaml")), members)]


def changed(text: str, members: Members = ("KRX:005930",)) -> Changes:
    """Return what has changed since `BEFORE`."""
    return changes(one(), one(text, members))  # type: ignore[arg-type]  # as it comes from a folder


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("110", "111", "meaning"),
        ("5m", "15m", "meaning"),
        ("close > 110", "close > 110\ncooldown: 1 hour", "meaning"),
        ("500_000", "600_000", "deeds"),
        ("side: buy", "side: sell", "deeds"),
        ("order: {", "order: {price: close, ", "deeds"),
        ("order", "alert: {severity: high}\norder", "deeds"),
        ("order", "limit: 5 per day\norder", "deeds"),
        ("order", "describe: in words\norder", "words"),
        ("close > 110", "close>110", "words"),
        ("name", "# a line more\nname", "words"),
    ],
)
def test_an_edit_is_of_one_kind(old: str, new: str, kind: str) -> None:
    found = changed(BEFORE.replace(old, new, 1))
    assert found == Changes(**{kind: ("one",)})
    assert found


def test_other_instruments_are_no_other_meaning() -> None:
    assert changed(BEFORE, ("KRX:005930", "KRX:000660")) == Changes(instruments=("one",))


def test_the_same_is_no_change() -> None:
    assert not changed(BEFORE)


def test_another_name_is_another_condition() -> None:
    renamed = changed(BEFORE.replace("name: one", "name: two"))
    assert renamed == Changes(added=("two",), removed=("one",))
