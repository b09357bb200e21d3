"""A folder of conditions: templates, shared names, and names across files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.condition_folder import ConditionFolder
from config.condition_reader import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

BODY = "universe: [KRX:005930]\ntimeframe: 5m\nwhen: close > 3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def loaded(folder: Path, **files: str) -> ConditionFolder:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return ConditionFolder(sorted(folder.glob("*.yaml")), Surroundings())


def problems(folder: Path, **files: str) -> list[str]:
    prefix = f"{folder}/"
    return [str(one).removeprefix(prefix) for one in loaded(folder, **files).problems]


def test_templates_and_shared_names_are_not_conditions(folder: Path) -> None:
    found = loaded(
        folder,
        _shared="let: {mid: 'sma(close, 20)'}\n",
        base=f"name: base\ntemplate: true\n{BODY}",
        a="name: a\nextends: base\n",
    )
    assert found.problems == ()
    (spec,) = found.conditions
    assert spec.name == "a"
    assert [(one.name.text, one.hides) for one in spec.shared] == [("mid", None)]


def test_a_condition_may_be_extended_too(folder: Path) -> None:
    found = loaded(folder, a=f"name: a\n{BODY}", b="name: b\nextends: a\nfor: 2 bars\n")
    assert [(one.name, one.hold_bars) for one in found.conditions] == [("a", 1), ("b", 2)]


def test_a_mistake_in_a_template_comes_up_once(folder: Path) -> None:
    base = f"name: base\ntemplate: true\n{BODY}for: two\nfr: 3\n"
    assert problems(
        folder, base=base, a="name: a\nextends: base\n", b="name: b\nextends: base\n"
    ) == [
        "base.yaml:6:6: 'two' is not a count of bars; write 2 bars",
        "base.yaml:7:1: unknown key 'fr'; did you mean 'for'?",
    ]


def test_an_unused_template_is_checked_for_its_keys(folder: Path) -> None:
    base = "name: base\ntemplate: true\nwhn: 3\nextends: nobody\n"
    assert problems(folder, base=base) == [
        "base.yaml:3:1: unknown key 'whn'; did you mean 'when'?",
        "base.yaml:4:10: extends the unknown condition 'nobody'; known: base",
    ]
    assert problems(folder, base="name: base\ntemplate: yes\nextends: base\n") != []


def test_shared_names_are_checked(folder: Path) -> None:
    found = problems(
        folder, _shared="let: {1a: close, b: [close]}\nlets: 3\n", a=f"name: a\n{BODY}"
    )
    assert found == [
        "_shared.yaml:1:7: '1a' is not a name; use letters, digits and '_', at most 40",
        "_shared.yaml:1:21: 'b' must be one expression",
        "_shared.yaml:2:1: unknown key 'lets'; did you mean 'let'?",
    ]


def test_a_name_can_be_used_once_sides_included(folder: Path) -> None:
    sides = "name: a\nuniverse: [KRX:005930]\ntimeframe: 5m\nsides: {buy: {when: close > 3}}\n"
    assert problems(folder, a=sides, b=f"name: a-buy\n{BODY}") == [
        f"b.yaml:1:7: a condition named 'a-buy' is already in {folder}/a.yaml"
    ]


@pytest.mark.parametrize(
    ("muting", "expected"),
    [
        ("muted_by: crsh", "unknown condition 'crsh'; did you mean 'crash'?"),
        ("muted_by: a", "silences itself: a -> a"),
        ("muted_by: c", "silences itself: a -> c -> a"),
        (
            "muted_by: hourly",
            "'hourly' has bars of 1h, this condition of 5m; both must have the same",
        ),
        (
            "muted_by: {condition: crash, on: KRX:000660}",
            "'crash' does not watch KRX:000660",
        ),
    ],
)
def test_who_silences_must_be_there_and_fit(folder: Path, muting: str, expected: str) -> None:
    found = problems(
        folder,
        a=f"name: a\n{BODY}{muting}\n",
        c=f"name: c\n{BODY}muted_by: a\n",
        crash=f"name: crash\n{BODY}",
        hourly=f"name: hourly\n{BODY.replace('5m', '1h')}",
    )
    assert [one.partition(": ")[2] for one in found if one.startswith("a.yaml")] == [expected]


def test_silencing_is_not_checked_while_a_file_cannot_be_read(folder: Path) -> None:
    found = problems(folder, a=f"name: a\n{BODY}muted_by: b\n", b=f"name: b\n{BODY}fr: 3\n")
    assert found == ["b.yaml:5:1: unknown key 'fr'; did you mean 'for'?"]
