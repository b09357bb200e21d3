from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from bot.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def test_schemas_are_shown() -> None:
    result = CliRunner().invoke(main, ["schema"])
    assert result.exit_code == 0
    assert set(json.loads(result.output)) == {"condition", "settings", "shared", "universe"}


def test_schemas_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "schema"
    result = CliRunner().invoke(main, ["schema", "--write", str(folder)])
    assert result.exit_code == 0
    assert result.output.count("wrote ") == len(list(folder.iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = CliRunner().invoke(main, ["schema", "--write", str(tmp_path / "file" / "below")])
    assert result.exit_code == 2
    assert "cannot be written" in result.output
