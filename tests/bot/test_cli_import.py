from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from config.load import write_folder

RULES = """\
RULES = {
    "breakout": {"PSMAR60": ["BIGGER", 0.02], "VSMAR20": ["BIGGER", 5]},
    "재반등": {"RSI": ["SMALLER", 30]},
}
"""


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rules.py").write_text(RULES, encoding="utf-8")


def said(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["import", "rules", *arguments])


def test_conditions_are_shown() -> None:
    result = said("rules.py")
    assert result.exit_code == 0
    assert "name: breakout\n" in result.output
    assert "name: 재반등\n" in result.output


def test_written_conditions_are_well() -> None:
    write_folder(Path("mine"))
    result = said("rules.py", "--out", "mine/conditions")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "2 conditions; next: ticktalk check"
    checked = CliRunner().invoke(main, ["check", "--config", "mine"])
    assert checked.exit_code == 0
    assert "breakout (5m): alerts; 2 tests" in checked.output


def test_nothing_is_overwritten() -> None:
    assert said("rules.py", "--out", "mine").exit_code == 0
    result = said("rules.py", "--out", "mine")
    assert result.exit_code == 2
    assert "nothing was written" in result.output
    assert "2 problems found" in result.output


def test_what_has_no_source_is_refused_by_name_with_its_place() -> None:
    Path("rules.py").write_text('{"a": {"PS": ["BIGGER", 0]}}', encoding="utf-8")
    result = said("rules.py", "--out", "mine")
    assert result.exit_code == 2
    assert "rules.py:1:8: column 'PS' has no source here" in result.output
    assert not Path("mine").exists()


def test_a_file_that_cannot_be_read_is_told() -> None:
    assert "nowhere.py: cannot be read" in said("nowhere.py").output


def test_a_folder_that_cannot_be_written_is_told() -> None:
    result = said("rules.py", "--out", "rules.py/below")
    assert result.exit_code == 2
    assert "cannot be written" in result.output
