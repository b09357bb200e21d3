"""`ticktalk replay`: a recorded day, or bars of files, through the same pipeline once more."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import logs
from bot.console import config_option, errors_for_people, load_config
from config.settings import secret_values
from market.errors import TicktalkError

if TYPE_CHECKING:
    from bot.replay_report import Report
    from config.load import Config


def _clock(_: click.Context, option: click.Parameter, text: str | None) -> time | None:
    """Read a time of day."""
    try:
        return None if text is None else datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # a time of day alone
    except ValueError as error:
        raise click.BadParameter(f"'{text}' is no time such as 10:05", param=option) from error


@click.command()
@click.argument("day", required=False, metavar="[DAY]")
@click.option(
    "--bars",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Play the CSV or Parquet bars of this folder instead; without DAY all of them.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0.1),
    help="Market seconds per second; as fast as it goes if not given.",
)
@click.option(
    "--from",
    "since",
    metavar="HH:MM",
    callback=_clock,
    help="Show and pace from this time in Korea on.",
)
@click.option("--until", metavar="HH:MM", callback=_clock, help="Stop at this time in Korea.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep the database of the replay in this new file.",
)
@config_option
def replay(
    day: str | None,
    bars: Path | None,
    speed: float | None,
    since: time | None,
    until: time | None,
    keep: Path | None,
    config_path: Path | None,
) -> None:
    """Play what was recorded on DAY (2026-11-20) through your conditions as they are now.

    Shows what fires and the orders it would call for, beside what had fired live; nobody is told.
    """
    from bot.replay import ReplayOptions, run_replay  # noqa: PLC0415  # --help need not load all

    with errors_for_people():
        options = ReplayOptions(_day(day, bars), bars, speed or 0.0, since, until)
        if keep is not None and keep.exists():
            raise TicktalkError(f"--keep {keep}: there is such a file; name a new one")
        config = load_config(config_path)
        logs.set_up(secrets=secret_values(config.settings), is_plain=not sys.stderr.isatty())
        with tempfile.TemporaryDirectory(prefix="ticktalk-replay-") as folder:
            database = Path(folder) / "replay.sqlite" if keep is None else keep
            report = asyncio.run(run_replay(config, options, database, click.echo))
        _show(report, config)


def _day(text: str | None, bars: Path | None) -> date | None:
    if text is None and bars is None:
        raise click.UsageError("name a DAY that was recorded (2026-11-20), or --bars FOLDER")
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"'{text}' is no day such as 2026-11-20") from error


def _show(report: Report, config: Config) -> None:
    for row in report.rows(config.directory):
        click.echo(row)
