"""`ticktalk import rules`: rules of the older crawler bot become condition files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.console import counted, errors_for_people
from market.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.legacy import Converted


@click.group("import")
def import_() -> None:
    """Take over what was written for another program."""


@import_.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the conditions into this folder; else they are only shown.",
)
def rules(file: Path, folder: Path | None) -> None:
    """Turn {rule: {COLUMN: [OPERATOR, ...]}} of the older crawler bot into condition files.

    FILE is Python or JSON; it is read, never executed.
    """
    from conditions.legacy import convert_rules  # noqa: PLC0415  # --help need not load numba
    from config.legacy_rules import read_legacy_rules  # noqa: PLC0415  # only here
    from config.strict_yaml import read_text  # noqa: PLC0415  # only here

    with errors_for_people():
        converted = convert_rules(read_legacy_rules(read_text(file), str(file)))
        if folder is None:
            click.echo("\n".join(one.text for one in converted), nl=False)
            return
        for path in _written(converted, folder):
            click.echo(f"wrote {path}")
        click.echo(f"{counted(len(converted), 'condition')}; next: ticktalk check")


def _written(converted: Sequence[Converted], folder: Path) -> list[Path]:
    """Write the files and return them; where one of them is there already, none is written."""
    plan = {folder / f"{one.name}.yaml": one.text for one in converted}
    message = "is there already; nothing was written: choose another folder or move it away"
    existing = tuple(Problem.about(str(path), message) for path in plan if path.exists())
    if existing:
        raise ConfigError(existing)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in plan.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        problem = Problem.about(str(error.filename or folder), f"cannot be written: {reason}")
        raise ConfigError((problem,)) from error
    return list(plan)
