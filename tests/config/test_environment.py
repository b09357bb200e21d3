"""The .env reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.environment import environment, read_env_file
from market.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_are_variables(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "\ufeff# comment\n\nA=1\n  B = two words  # comment\nexport C='#3'\nD=\"4 # 5\" # six\n"
        "E=\nF=a#b\nG=x=y\r\nH=# nothing\n",
    )
    assert read_env_file(path) == {
        "A": "1",
        "B": "two words",
        "C": "#3",
        "D": "4 # 5",
        "E": "",
        "F": "a#b",
        "G": "x=y",
        "H": "",
    }


def test_all_problems_are_named_without_their_values(tmp_path: Path) -> None:
    path = write(tmp_path, "hello\nA=1\n  A B=secret\nA=secret\nC='secret\n=secret\n")
    with pytest.raises(ConfigError) as caught:
        read_env_file(path)
    assert str(caught.value).replace(f"{path}:", "") == (
        "1:1: expected NAME=VALUE\n"
        "3:3: the name before '=' may only have letters, digits and '_'\n"
        "4:1: 'A' is written twice\n"
        "5:1: the quote after 'C=' is not closed\n"
        "6:1: the name before '=' may only have letters, digits and '_'"
    )


def test_process_goes_before_the_file(tmp_path: Path) -> None:
    write(tmp_path, "A=file\nB=file\n")
    assert environment(tmp_path, {"A": "process", "C": "process"}) == {
        "A": "process",
        "B": "file",
        "C": "process",
    }


def test_folder_without_a_file_adds_nothing(tmp_path: Path) -> None:
    assert environment(tmp_path, {"A": "1"}) == {"A": "1"}


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xbb\xef")
    with pytest.raises(ConfigError, match="not UTF-8"):
        environment(tmp_path, {})
