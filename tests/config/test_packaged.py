"""`ticktalk init` writes a folder to edit."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from config.environment import read_env_file
from config.load import load
from config.packaged import PACKAGED, write_folder
from market.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "settings.yaml",
    "instruments.yaml",
    "krx_calendar.yaml",
    *(f"universes/{path.name}" for path in (PACKAGED / "universes").glob("*.yaml")),
    *(f"conditions/{path.name}" for path in (PACKAGED / "conditions").glob("*.yaml")),
    "schema/condition.json",
    "schema/settings.json",
    "schema/shared.json",
    "schema/universe.json",
    ".env",
}


def test_written_folder_loads(tmp_path: Path) -> None:
    written = write_folder(tmp_path / "new" / "mine")
    assert {str(path.relative_to(tmp_path / "new" / "mine")) for path in written} == FILES
    assert all(path.is_file() for path in written)
    assert load(tmp_path / "new" / "mine" / "settings.yaml", {}).conditions


def test_env_file_is_for_its_owner_only(tmp_path: Path) -> None:
    write_folder(tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) & 0o077 == 0
    assert read_env_file(tmp_path / ".env") == {"TICKTALK_TELEGRAM_TOKEN": ""}


def test_nothing_is_overwritten_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("mine", encoding="utf-8")
    (tmp_path / "settings.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="is there already; nothing was written") as caught:
        write_folder(tmp_path)
    assert [problem.file for problem in caught.value.problems] == [
        str(tmp_path / "settings.yaml"),
        str(tmp_path / ".env"),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {".env", "settings.yaml"}
    assert (tmp_path / ".env").read_text(encoding="utf-8") == "mine"


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be written: Not a directory"):
        write_folder(tmp_path / "file" / "mine")


def test_packaged_files_are_all_named_as_package_data() -> None:
    pyproject = PACKAGED.parent / "pyproject.toml"
    if not pyproject.is_file():
        pytest.skip("the package is installed without its project file")
    named = ["*.yaml", "universes/*.yaml", "conditions/*.yaml", "schema/*.json", ".env.example"]
    assert f"config = {named}".replace("'", '"') in pyproject.read_text(encoding="utf-8")
