"""What the console commands share: the settings option, loading, and errors as text."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.environment import environment
from config.load import find_settings, load
from market.errors import ConfigError, TicktalkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.load import Config

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Settings file, or the folder it is in. Else TICKTALK_CONFIG, else ./config/settings.yaml,"
    " else the packaged one.",
)


def load_config(config_path: Path | None) -> Config:
    """Load the settings that are meant; a .env is read here and beside them, ours wins."""
    here = environment(Path(), os.environ)
    settings = find_settings(config_path, here)
    return load(settings, environment(settings.parent, here))


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Show our own errors as text and exit with 2; others are faults and keep their traceback."""
    try:
        yield
    except ConfigError as error:
        click.echo(f"{error}\n{counted(len(error.problems), 'problem')} found", err=True)
        sys.exit(2)
    except TicktalkError as error:
        click.echo(f"ticktalk: {error}", err=True)
        sys.exit(2)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 test`, `2 tests`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
