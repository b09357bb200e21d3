from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.condition_reader import KEYS
from config.packaged import PACKAGED
from config.schema import FOLDER, schema_text, schemas, write_schemas
from config.schema_condition import SHAPES
from config.settings import Settings, keys_of
from config.settings_file import SECRETS
from config.strict_yaml import load_yaml, parse_yaml
from market.errors import ConfigError
from tests.config.yaml_schema import as_editor, errors

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = schemas()
LINE = "# yaml-language-server: $schema="
SHIPPED = sorted(
    [
        PACKAGED / "settings.yaml",
        *(PACKAGED / "conditions").glob("*.yaml"),
        *(PACKAGED / "universes").glob("*.yaml"),
    ]
)
DOCUMENTS = Path(__file__).parents[2] / "docs"
CONDITION = "name: a\nuniverse: all\ntimeframe: 5m\nwhen: close > 3\n"


def faults(name: str, text: str) -> list[str]:
    return errors(as_editor(parse_yaml(text, "x.yaml")), ALL[name], ALL[name])


def mappings(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every shape of a mapping with fixed keys."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for inner in schema.values():
            yield from mappings(inner)
    if isinstance(schema, list):
        for inner in schema:
            yield from mappings(inner)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_fit_the_schema_they_name(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(LINE)
    named = (path.parent / first.removeprefix(LINE)).resolve()
    schema = json.loads(named.read_text(encoding="utf-8"))
    assert errors(as_editor(load_yaml(path)), schema, schema) == []


@pytest.mark.parametrize("name", ALL)
def test_shipped_schemas_are_those_of_the_readers(name: str) -> None:
    shipped = (PACKAGED / FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert shipped == schema_text(ALL[name]), "run: ticktalk schema --write config/schema"


@pytest.mark.parametrize("name", ALL)
def test_every_key_has_a_shape_and_unknown_ones_are_refused(name: str) -> None:
    for shape in mappings(ALL[name]):
        assert shape["additionalProperties"] is False
        assert all(shape["properties"].values()), shape


def test_every_key_of_a_condition_has_a_word() -> None:
    assert list(SHAPES) == list(KEYS)
    words = {key: shape.get("description", "") for key, shape in SHAPES.items()}
    assert all(words[key] or "$ref" in SHAPES[key] for key in KEYS)


def test_every_setting_but_the_token_is_there() -> None:
    sections = ALL["settings"]["properties"]
    assert list(sections) == list(Settings.model_fields)
    for name, shape in sections.items():
        known = [key for key in keys_of(name) if (name, key) not in SECRETS]
        assert list(shape["properties"]) == known
        assert all(one["description"] for one in shape["properties"].values())


def test_conditions_of_the_documents_fit() -> None:
    blocks = re.findall(
        r"```yaml\n(name:.*?)```",
        (DOCUMENTS / "conditions.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert len(blocks) >= 2
    for block in blocks:
        assert faults("condition", block) == []


@pytest.mark.parametrize(
    "text",
    [
        "for: 2 bars\nalert: {severity: low, chart: false}\nclear: {not: {all: [close > 3]}}\n",
        "universe: [005930, KRX:000660]\nmuted_by: {condition: crash}\non_unknown: hold\n",
        "on_unknown: alert after 5 bars\nfire: every bar\nlet: {up: close > open}\n",
        "params: {fast: {default: 5, range: [3, 20]}}\nmuted_by: crash\n",
        "score: {parts: [{when: close > 3, weight: 0.4}], above: 0.2}\n",
        "sides: {buy: {when: close > 3}, sell: {when: close < 3}}\n",
        "tests: [{name: 1, bars: {close: 5}, expect: {states: {0: firing}, unknown_at: 3}}]\n",
        "order: {side: buy, size: 10, confirm: {within: 90s}}\n",
    ],
)
def test_what_the_reader_takes_fits(text: str) -> None:
    lines = [line for line in CONDITION.splitlines() if f"{line.split(':')[0]}: [0" not in text]
    assert faults("condition", "\n".join([*lines, text])) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cooldwn: 30 minutes\n", ": unknown cooldwn"),
        ("alert: {severity: hgh}\n", ".alert.severity: not one of the words"),
        ("tests: []\n", ".tests: too few"),
        ("tests: [{name: a, bars: {}, expect: {}}]\n", ".tests[0].bars: close is missing"),
        ("clear: {all: []}\n", ".clear: none of the options"),
        ("clear: {all: [a], any: [b]}\n", ".clear: none of the options"),
        ("on_unknown: alert after\n", ".on_unknown: none of the options"),
    ],
)
def test_what_the_reader_refuses_does_not_fit(text: str, fault: str) -> None:
    assert fault in faults("condition", CONDITION + text)


def test_a_condition_needs_its_keys_unless_it_extends_another() -> None:
    assert faults("condition", "name: a\nwhen: close > 3\n") == [
        ": universe is missing",
        ": timeframe is missing",
    ]
    assert faults("condition", "name: a\nextends: b\n") == []
    assert faults("condition", "name: a\ntemplate: true\n") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("crawl: {every_seconds: 0}", ".crawl.every_seconds: out of bounds"),
        ("crawl: {every_seconds: soon}", ".crawl.every_seconds: does not match"),
        ("telegram: {language: fr}", ".telegram.language: not one of the words"),
        ("telegram: {token: '1:a'}", ".telegram: unknown token"),
        ("crawl: {every: 5}", ".crawl: unknown every"),
    ],
)
def test_settings_that_cannot_be_do_not_fit(text: str, fault: str) -> None:
    assert faults("settings", text) == [fault]


@pytest.mark.parametrize(
    "text",
    ["crawl:\n", "telegram: {channel: }", "broker: {cash: 5_000_000 KRW, fee: 0.015%}"],
)
def test_settings_may_be_left_empty_and_written_as_text(text: str) -> None:
    assert faults("settings", text) == []


def test_universes_and_shared_expressions() -> None:
    assert faults("universe", "name: a\ninstruments: [KRX:005930]\n") == []
    assert faults("universe", "name: a\nmarket: NYSE\n") == [".market: not one of the words"]
    assert faults("shared", "let: {up: close > open}\n") == []
    assert faults("shared", "lets: {}\n") == [": unknown lets"]


def test_schemas_are_written_over_older_ones(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "schema"
    assert {path.stem for path in write_schemas(folder)} == set(ALL)
    assert len(write_schemas(folder)) == len(ALL)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_schemas(tmp_path / "file" / "below")
