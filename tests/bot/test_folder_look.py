"""Files are read again only where something seems to have changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bot.folder_look import FolderLook

if TYPE_CHECKING:
    from pathlib import Path


def looking(folder: Path) -> FolderLook:
    return FolderLook(lambda: sorted(folder.iterdir()))


def test_contents_are_the_same_until_a_file_is_edited_added_or_removed(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("a")
    look = looking(tmp_path)
    seen = [dict(look.contents())]
    os.utime(first, ns=(5, 5))
    assert look.contents() == seen[0], "a touched file is the same"
    for edit in (
        lambda: first.write_text("b"),
        lambda: second.write_text("b"),
        first.unlink,
    ):
        edit()
        seen.append(dict(look.contents()))
    assert [list(one) for one in seen] == [[first], [first], [first, second], [second]]
    assert seen[0] != seen[1]
    assert seen[2][first] == seen[1][first] == seen[3][second]


def test_what_is_not_there_or_no_file_is_no_error(tmp_path: Path) -> None:
    look = FolderLook(lambda: [tmp_path / "gone.yaml", tmp_path])
    assert list(look.contents()) == [tmp_path]
    assert "cannot be read" in look.contents()[tmp_path]
