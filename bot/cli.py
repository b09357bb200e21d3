"""The command line: demo, run, replay, check, why, near, init."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import click

from bot import logs
from bot.cli_ask import near, why
from bot.cli_check import check
from bot.cli_import import import_
from bot.cli_replay import replay
from bot.cli_report import report
from bot.cli_schema import schema
from bot.cli_universe import universe
from bot.console import config_option, errors_for_people, load_config
from bot.version import VERSION
from config.load import write_folder
from config.settings import secret_values
from market.errors import TicktalkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

logger = logging.getLogger(__name__)

T = TypeVar("T")

json_log_option = click.option(
    "--json-log",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Append one JSON object per event to this file (- for stdout).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="ticktalk")
def main() -> None:
    """Watch markets, get alerts in Telegram, confirm orders in chat."""


@main.command()
@config_option
@json_log_option
def run(config_path: Path | None, json_log: Path | None) -> None:
    """Run the bot: real prices, your Telegram bot, paper money unless you set a live broker."""
    from bot.live import run_live  # noqa: PLC0415  # --help need not load the whole bot

    with errors_for_people():
        config = load_config(config_path)
        logs.set_up(secrets=secret_values(config.settings), is_plain=not sys.stderr.isatty())
        with _opened(json_log) as stream:
            asyncio.run(_until_signal(lambda stop: run_live(config, stream, stop, _show)))


@main.command()
@config_option
@click.option(
    "--speed",
    type=click.FloatRange(1, 200),
    default=60,
    show_default=True,
    help="Market seconds per second (1 while an order card waits for you).",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, another day.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port of the chat page on 127.0.0.1; 0 takes any free one.",
)
@click.option(
    "--language",
    type=click.Choice(["ko", "en"]),
    default="ko",
    show_default=True,
    help="Language that the bot speaks to you.",
)
@click.option("--no-open", is_flag=True, help="Do not open a browser, only print the address.")
@click.option(
    "--market-minutes",
    type=click.IntRange(1, 2000),
    help="Stop after this much market time (30 with --autopilot).",
)
@click.option(
    "--autopilot",
    is_flag=True,
    help="Unattended: a scripted visitor taps and types, as fast as the machine allows.",
)
@click.option("--json", "as_json", is_flag=True, help="With --autopilot: end with one JSON object.")
@json_log_option
def demo(config_path: Path | None, json_log: Path | None, **options: object) -> None:
    """Try everything on this computer: a pretend market and a pretend Telegram, no account."""
    if options["as_json"] and not options["autopilot"]:
        raise click.UsageError("--json goes with --autopilot: a person at the page ends no run")
    from bot.demo import DemoOptions, run_demo  # noqa: PLC0415  # only the demo knows the sandbox

    with errors_for_people():
        logs.set_up(is_plain=not sys.stderr.isatty())
        with _opened(json_log) as stream:
            chosen = DemoOptions(config_path=config_path, **options)  # type: ignore[arg-type]  # click has checked the types
            code = asyncio.run(_until_signal(lambda stop: run_demo(chosen, stream, stop)))
    sys.exit(code)


main.add_command(check)
main.add_command(schema)
main.add_command(import_)
main.add_command(why)
main.add_command(near)
main.add_command(report)
main.add_command(replay)
main.add_command(universe)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Write a folder with settings, universes and conditions to edit, and .env for the token."""
    with errors_for_people():
        for path in write_folder(folder):
            click.echo(f"wrote {path}")
        click.echo(f"\nnext: put your bot's token into {folder / '.env'}, then")
        click.echo(f"  ticktalk check --config {folder}")
        click.echo(f"  ticktalk run --config {folder}")


def _show(text: str) -> None:
    """Put a text before the operator's eyes, between the lines of the log."""
    click.secho(text, err=True, bold=True)


@contextmanager
def _opened(json_log: Path | None) -> Iterator[BinaryIO | None]:
    if json_log is None:
        yield None
    elif str(json_log) == "-":
        yield sys.stdout.buffer
    else:
        with _open_for_appending(json_log) as stream:
            yield stream


def _open_for_appending(path: Path) -> BinaryIO:
    try:
        return path.open("ab")
    except OSError as error:
        raise TicktalkError(f"--json-log {path}: {error.strerror}; choose another file") from error


async def _until_signal(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Run work with an event that SIGINT and SIGTERM set, so that it can end in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await work(stop)
