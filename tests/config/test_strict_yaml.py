"""Strict YAML: text stays text, everything has its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.strict_yaml import ListNode, Located, MapNode, load_yaml, parse_yaml
from market.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def value(text: str, key: str = "a") -> Located:
    root = parse_yaml(text, "x.yaml")
    assert isinstance(root, MapNode)
    found = root.get(key)
    assert isinstance(found, Located)
    return found


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "x.yaml")
    return str(caught.value)


def characters(located: Located) -> list[tuple[int, int]]:
    """The place of each character, as problems name it."""
    found = [located.problem("", offset) for offset in range(len(located.text))]
    return [(problem.line, problem.column) for problem in found]


@pytest.mark.parametrize(
    "text", ["000660", "15:20", "on", "1e3", "0x1F", "2026-06-03", "null", "~"]
)
def test_scalar_stays_text(text: str) -> None:
    assert value(f"a: {text}").text == text


def test_scalar_knows_its_place_in_characters() -> None:
    found = value("# 주의\n🚀이름: close  # 주석\n", "🚀이름")
    assert found == Located("close", "x.yaml", 2, 6)


def test_problem_counts_from_the_first_character() -> None:
    problem = value("a: close > sma(clsoe, 20)").problem("unknown name 'clsoe'", 12)
    assert str(problem) == "x.yaml:1:16: unknown name 'clsoe'"


def test_problem_in_a_quoted_text_counts_past_the_quote() -> None:
    assert str(value('a: "close"').problem("here", 2)) == "x.yaml:1:7: here"


def test_problem_finds_its_line_in_a_folded_text() -> None:
    found = value("a: close\n  > open\n")
    assert found.text == "close > open"
    assert characters(found)[6] == (2, 3)
    assert characters(found)[8:] == [(2, 5), (2, 6), (2, 7), (2, 8)]


def test_problem_finds_its_line_in_a_block() -> None:
    found = value("a: |  # a block\n  close >\n    open\n")
    assert found.text == "close >\n  open\n"
    assert (found.line, found.column) == (2, 3)
    assert characters(found)[10] == (3, 5)


def test_problem_counts_escapes_in_double_quotes() -> None:
    found = value(r'a: "x\"y\tz\u0041b"')
    assert found.text == 'x"y\tzAb'
    places = [place for place, character in zip(characters(found), found.text, strict=True)]
    assert [column for _, column in places] == [5, 6, 8, 9, 11, 12, 18]


def test_problem_counts_a_doubled_single_quote() -> None:
    assert [column for _, column in characters(value("a: 'it''s'"))] == [5, 6, 7, 9]


def test_problem_past_the_end_stands_behind_the_last_character() -> None:
    assert str(value('a: "close"').problem("missing )", 5)) == "x.yaml:1:10: missing )"


def test_keys_and_lists_keep_their_order_and_place() -> None:
    root = parse_yaml("b: [1, 2]\na:\n  - {c: d}\n", "x.yaml")
    assert isinstance(root, MapNode)
    assert [key.text for key, _ in root.entries] == ["b", "a"]
    listed = root.get("a")
    assert isinstance(listed, ListNode)
    assert (listed.items[0].line, listed.items[0].column) == (3, 5)


def test_byte_order_mark_is_skipped() -> None:
    assert value("\ufeffa: b", "a") == Located("b", "x.yaml", 1, 4)


def test_windows_line_ends_do_not_move_places() -> None:
    assert value("b: c\r\na: d\r\n") == Located("d", "x.yaml", 2, 4)


def test_merge_key_is_only_a_key() -> None:
    assert value("<<: b", "<<").text == "b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 'b", "x.yaml:1:6: a quote is opened and never closed"),
        ("a: %b", "x.yaml:1:4: a text cannot begin with this character; quote the text"),
        ("a: @b", "x.yaml:1:4: a text cannot begin with this character; quote the text"),
        ("a: * b", "x.yaml:1:5: a text cannot begin with '*'; quote the text"),
        ("a: & b", "x.yaml:1:5: a text cannot begin with '&'; quote the text"),
        ("a: >b", "x.yaml:1:5: after '|' or '>' a text begins on a new line; quote it"),
        ("a: 1\nb\n", "x.yaml:3:1: a key without ':' after it"),
        ("a:\n  - 1\n b: 2", "x.yaml:3:2: the indentation does not fit the lines above"),
        ("a: b\x07", "x.yaml:1:5: a character that cannot be: U+0007"),
        ("a: \ud800", "x.yaml:1:4: a character that cannot be: U+D800"),
    ],
)
def test_slip_is_explained_where_it_is(text: str, expected: str) -> None:
    assert refusal(text).startswith(expected)


def test_nesting_has_an_end() -> None:
    assert refusal("[" * 60 + "]" * 60) == "x.yaml:1:52: nested deeper than 50 levels"


def test_file_that_is_not_utf8_is_refused_at_the_first_odd_character(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("a: ok\n이름: ".encode() + "삼성".encode("cp949"))
    with pytest.raises(ConfigError) as caught:
        load_yaml(path)
    assert str(caught.value) == (
        f"{path}:2:5: not UTF-8 text; save the file with the encoding UTF-8"
    )


def test_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_yaml(tmp_path / "none.yaml")


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_yaml(tmp_path)
