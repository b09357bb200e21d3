"""The documents are true: every command, setting, key and indicator is there, and links lead on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli import main
from bot.command import COMMANDS, load_commands
from bot.texts import Texts
from conditions.clock_fields import CLOCK_FIELDS
from conditions.compile import compile_all, compile_condition
from conditions.coverage import coverage
from conditions.day_fields import DAY_FIELDS
from conditions.fact_fields import FACT_FIELDS
from conditions.fields import BAR_FIELDS, FIELDS, SCOPES
from conditions.functions import FUNCTIONS
from conditions.indicators import EVENTS, INDICATORS, SHORTHANDS
from conditions.indicators.pages import indicator_pages
from conditions.limit_fields import LIMIT_FIELDS
from conditions.position_fields import POSITION_FIELDS
from conditions.tables import BEGIN, TABLES, with_tables
from conditions.trial_report import failed_tests
from conditions.units import LITERALS
from config.condition_folder import ConditionFolder
from config.condition_lifecycle import MUTING_KEYS
from config.condition_names import PARAM_KEYS
from config.condition_reader import (
    ALERT_KEYS,
    CONFIRM_KEYS,
    KEYS,
    ORDER_KEYS,
    Surroundings,
    parse_condition,
)
from config.condition_score import PART_KEYS, SCORE_KEYS
from config.condition_tests import EXPECT_KEYS, PHASES, TEST_KEYS
from config.settings import describe_settings
from config.trial_bars import BARS_KEYS
from tests.packaged import packaged_config

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e"
COMMANDS_OF_README = (
    f"{INSTALL} . && .venv/bin/ticktalk demo",
    f'{INSTALL} ".[dev]" && .venv/bin/pytest',
)
ONE_SCREEN = 60


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_a_readme_fits_on_a_screen_with_its_picture_and_two_commands(name: str) -> None:
    text = read(name)
    assert text.count("\n") <= ONE_SCREEN
    assert "(docs/demo.png)" in text
    lines = text.splitlines()
    for command in COMMANDS_OF_README:
        assert command in lines


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("setting", describe_settings(), ids=lambda setting: setting[0])
def test_every_setting_is_documented(setting: tuple[str, str, str, str]) -> None:
    name, variable, default, meaning = setting
    shown = f"`{default}`" if default else "—"
    assert f"| `{name}` | `{variable}` | {shown} | {meaning} |" in read("docs/settings.md")


def test_every_chat_command_is_documented() -> None:
    load_commands()
    text, texts = read("docs/commands.md"), Texts.load()
    for name in COMMANDS:
        line = f"| `/{name}` | {COMMANDS.get(name).role} | {texts.plain(f'menu.{name}', 'en')} |"
        assert line in text, line


def test_every_console_command_and_its_options_are_documented() -> None:
    text = read("docs/commands.md")
    for name, command in main.commands.items():
        assert f"`ticktalk {name}" in text, name
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert any(f"`{option}" in text for option in parameter.opts), parameter.opts


@pytest.mark.parametrize("key", [*KEYS, *ORDER_KEYS, *ALERT_KEYS, *CONFIRM_KEYS])
def test_every_key_of_a_condition_is_documented(key: str) -> None:
    assert f"`{key}`" in read("docs/conditions.md")


@pytest.mark.parametrize("key", [*SCORE_KEYS, *PART_KEYS, *PARAM_KEYS, *MUTING_KEYS])
def test_every_inner_key_of_a_condition_is_shown(key: str) -> None:
    assert f"{key}:" in read("docs/conditions.md")


def test_every_indicator_event_function_and_unit_is_documented() -> None:
    text = read("docs/conditions.md")
    fast = [name for name in INDICATORS if not INDICATORS.get(name).is_slow]
    for name in (*fast, *EVENTS, *SHORTHANDS):
        assert f"`{name}(" in text, name
    for name in FUNCTIONS:
        assert f"`{name}(" in text, name
    for unit in {literal.name for literal in LITERALS.values()}:
        assert f"`{unit}`" in text, unit


def test_the_page_of_indicators_is_that_of_the_registry() -> None:
    assert read("docs/indicators.md") == indicator_pages(), "run docs/write_reference.py"


def test_the_tables_of_conditions_are_those_of_the_registries() -> None:
    text = read("docs/conditions.md")
    assert text == with_tables(text), "run docs/write_reference.py"
    for name in TABLES:
        assert BEGIN.format(name) in text, name


def test_a_table_that_does_not_exist_or_end_is_refused() -> None:
    with pytest.raises(ValueError, match="no table is called 'kys'"):
        with_tables(BEGIN.format("kys"))
    with pytest.raises(ValueError, match="the table 'keys' has no end"):
        with_tables(BEGIN.format("keys"))


def test_every_field_and_scope_is_documented() -> None:
    text = read("docs/conditions.md")
    meanings = {f"day.{name}": part.meaning for name, part in DAY_FIELDS.items()}
    meanings |= {name: part.meaning for name, part in CLOCK_FIELDS.items()} | LIMIT_FIELDS
    meanings |= {f"facts.{name}": part.meaning for name, part in FACT_FIELDS.items()}
    meanings |= {f"position.{name}": part.meaning for name, part in POSITION_FIELDS.items()}
    for name, meaning in meanings.items():
        assert f"| `{name}` | {meaning} |" in text, name
    for name in (*BAR_FIELDS, *FIELDS):
        assert f"`{name}`" in text, name
    for name in SCOPES:
        assert f"| `{name}(" in text, name


def test_the_condition_in_the_documents_compiles() -> None:
    text = re.search(r"```yaml\n(.*?)```", read("docs/conditions.md"), re.DOTALL)
    assert text is not None
    assert compile_condition(parse_condition(text[1])).name == "volume-breakout"


def test_the_condition_files_in_the_documents_work_together(tmp_path: Path) -> None:
    blocks = re.findall(
        r"```yaml\n# conditions/(\S+)\n(.*?)```", read("docs/conditions.md"), re.DOTALL
    )
    for name, text in blocks:
        (tmp_path / name).write_text(text, encoding="utf-8")
    folder = ConditionFolder(sorted(tmp_path.iterdir()), Surroundings())
    assert folder.problems == ()
    compiled = compile_all(folder.conditions)
    assert [one.name for one in compiled] == [
        "breakout-60",
        "crash",
        "ensemble-buy",
        "ensemble-sell",
        "fast-breakout",
        "heavy-volume",
        "mean-cross-buy",
        "mean-cross-sell",
        "pullback",
    ]


def test_the_tested_condition_in_the_documents_passes_its_tests() -> None:
    section = read("docs/conditions.md").partition("## Testing a condition")[2]
    text = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert text is not None
    condition = compile_condition(parse_condition(text[1]))
    assert failed_tests(condition) == ()
    covered = coverage(condition)
    assert (covered.tests, covered.reached) == (3, covered.outcomes)


def test_the_condition_with_facts_and_others_in_the_documents_passes_its_tests() -> None:
    text = re.search(r"```yaml\n(name: bought-leader.*?)```", read("docs/conditions.md"), re.DOTALL)
    assert text is not None
    condition = compile_condition(parse_condition(text[1]))
    assert failed_tests(condition) == ()
    assert condition.facts == {"institutions_5", "per"}


def test_every_shipped_condition_is_in_the_documents() -> None:
    section = read("docs/conditions.md").partition("## Conditions to begin with")[2]
    config = packaged_config()
    for spec in (*config.conditions, *config.off):
        first = spec.name.replace("-sell", "-buy")
        sides = " `-sell`" if first != spec.name else ""
        assert f"| `{first}`{sides}" in section, spec.name
        assert spec.muted_by is None or f"`{spec.name}`" in section.partition("mutes")[2]


@pytest.mark.parametrize("key", [*TEST_KEYS[1:], *BARS_KEYS, *EXPECT_KEYS, *PHASES])
def test_every_key_of_a_test_is_documented(key: str) -> None:
    assert f"`{key}" in read("docs/conditions.md").partition("## Testing a condition")[2]


def test_the_changelog_has_the_present_version() -> None:
    version = re.search(r'^version = "(.+)"', read("pyproject.toml"), re.MULTILINE)
    assert version is not None
    assert f"## {version[1]}" in read("CHANGELOG.md")


def test_constraints_hold_no_addresses() -> None:
    for line in read("constraints.txt").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.!+-]+", line), line
