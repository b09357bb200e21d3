"""Whatever a file holds, the answer is a value or a ConfigError, never another exception."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.calendar_file import read_special_days
from config.condition_reader import KEYS, Surroundings, parse_conditions
from config.environment import read_env_file
from config.instruments import read_instruments
from config.load import PACKAGED
from config.settings import Settings
from config.settings_file import read_settings
from config.strict_yaml import ListNode, Located, MapNode, Node, parse_yaml
from config.universe_file import read_universe
from market.errors import ConfigError

FILES = sorted([*PACKAGED.rglob("*.yaml"), *(Path(__file__).parent / "bad").glob("*.yaml")])
SOURCES = [path.read_text(encoding="utf-8") for path in FILES]
PIECES = st.sampled_from(
    ["[", "]", "{", "}", ": ", "- ", "\n", "\n  ", "\t", "&a ", "*a", "!b ", "|\n", ">\n", "'"]
    + ['"', "\\", "#", "%", "---\n", "? ", "<<", "\ufeff", "\x00", "\x85", "\u2028", "000660"]
    + [f"{key}:" for key in (*KEYS, *Settings.model_fields)]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """One of our files with a few places cut out or written over."""
    text = draw(st.sampled_from(SOURCES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(st.one_of(PIECES, st.just(""), st.text(max_size=3))) + text[end:]
    return text


ANY_TEXT = st.one_of(st.text(), st.lists(PIECES, max_size=20).map("".join), damaged())


def every_scalar(node: Node) -> list[Located]:
    if isinstance(node, Located):
        return [node]
    if isinstance(node, ListNode):
        return [found for item in node.items for found in every_scalar(item)]
    return [found for entry in node.entries for part in entry for found in every_scalar(part)]


@given(ANY_TEXT)
@example("a: &b [*b]")
@example('a: "\\')
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_node_or_refused(text: str) -> None:
    with suppress(ConfigError):
        parse_yaml(text, "any.yaml")


@given(ANY_TEXT)
@settings(max_examples=300, deadline=None)
def test_every_character_of_every_scalar_has_a_place_in_the_text(text: str) -> None:
    with suppress(ConfigError):
        lines = text.removeprefix("\ufeff").count("\n") + 1
        for scalar in every_scalar(parse_yaml(text, "any.yaml")):
            for offset in range(len(scalar.text) + 1):
                problem = scalar.problem("here", offset)
                assert problem.column >= 1
                if not {"\r", "\x85", "\u2028", "\u2029"} & set(text):
                    assert 1 <= problem.line <= lines


@given(ANY_TEXT)
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("kind", ["calendar", "condition", "instruments", "settings", "universe"])
def test_any_text_is_a_value_or_refused(kind: str, text: str) -> None:
    with suppress(ConfigError):
        node = parse_yaml(text, "any.yaml")
        if kind == "calendar":
            read_special_days(node)
        elif kind == "instruments":
            read_instruments(node)
        elif kind == "settings":
            read_settings(node, {})
        elif kind == "universe":
            read_universe(node, {})
        else:
            parse_conditions(text, "any.yaml", Surroundings(universes=("all",), instruments={}))


@given(st.sampled_from(["CRAWL_EVERY_SECONDS", "BROKER_FEE", "NAVER_CHART_URL"]), st.text())
@settings(max_examples=300, deadline=None)
def test_any_variable_is_a_value_or_refused(name: str, text: str) -> None:
    with suppress(ConfigError):
        read_settings(None, {f"TICKTALK_{name}": text})


@given(content=st.binary() | ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the file is written over
)
def test_any_env_file_is_read_or_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(content)
    with suppress(ConfigError):
        assert all("=" not in name for name in read_env_file(path))


def test_mapping_gives_its_values() -> None:
    root = parse_yaml("a: 1", "x.yaml")
    assert isinstance(root, MapNode)
    assert root.get("b") is None
