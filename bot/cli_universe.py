"""`ticktalk universe`: who is in a universe, why, and what is known of them."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import click
import httpx

from bot.console import config_option, errors_for_people, load_config
from config.registry import suggestion
from market.clock import SystemClock
from market.errors import StoreError, TicktalkError
from market.segments import SEGMENTS
from market.sessions import KST
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from bot.universe_view import UniverseView
    from config.load import Config
    from config.universe_file import UniverseSpec
    from engine.universes import Change, Progress

WIDTH = 160
"""Columns of the table where it does not go to a terminal."""


@click.command()
@click.argument("name", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with every fact.")
@click.option("--refresh", is_flag=True, help="Compute it now; the bot must not be running.")
@config_option
def universe(name: str | None, config_path: Path | None, *, as_csv: bool, refresh: bool) -> None:
    """Show the members of universe NAME with their facts, and why each of them is in.

    Without NAME all universes are listed. The bot may be running meanwhile, but for --refresh.
    """
    from bot.universe_view import csv_text, listed, title  # noqa: PLC0415  # --help need not load numba

    with errors_for_people():
        if name is None and (as_csv or refresh):
            raise click.UsageError("name one universe for --csv or --refresh")
        config = load_config(config_path)
        if name is None:
            for line in listed(config):
                click.echo(line)
            return
        spec = _spec(config, name)
        if refresh:
            _refresh(config, spec)
        view = _view(config, spec)
        if as_csv:
            click.echo(csv_text(view), nl=False)
            return
        click.echo(title(view))
        _show(view)


def _spec(config: Config, name: str) -> UniverseSpec:
    from bot.plugins import compile_library  # noqa: PLC0415  # --help need not load numba

    spec = config.universe_specs.get(name)
    if spec is None:
        hint = suggestion(name, config.universe_specs)
        raise TicktalkError(f"unknown universe '{name}'{hint}")
    compile_library(config)  # what is wrong with its ranking is told like by `ticktalk check`
    return spec


def _view(config: Config, spec: UniverseSpec) -> UniverseView:
    from bot.universe_members import with_stored_universes  # noqa: PLC0415  # as above
    from bot.universe_view import view_of  # noqa: PLC0415  # as above

    with_stored_universes(config)  # so that names of what markets list are known
    end = _tomorrow()
    try:
        with Store.read_only(config.settings.store.path) as store:
            view = store.read(lambda tx: view_of(config, spec, tx, end))
    except StoreError:
        view = view_of(config, spec, None, end)
    if view.of_day is None and spec.ranking is not None:
        raise TicktalkError(
            f"universe '{spec.name}' was never computed: `ticktalk run` does so once a condition"
            f" that is watched names it, `ticktalk universe {spec.name} --refresh` does it now"
        )
    return view


def _tomorrow() -> date:
    return SystemClock().now().astimezone(KST).date() + timedelta(days=1)


def _show(view: UniverseView) -> None:
    from rich.console import Console  # noqa: PLC0415  # --help need not load it

    from bot.universe_view import table  # noqa: PLC0415  # --help need not load numba

    if view.members:
        console = Console()
        if not console.is_terminal:
            console = Console(width=WIDTH)
        click.echo()
        console.print(table(view))


def _refresh(config: Config, spec: UniverseSpec) -> None:
    """Compute a universe with a bar that tells how far that is."""
    from rich.console import Console  # noqa: PLC0415  # --help need not load it
    from rich.progress import Progress as Bar  # noqa: PLC0415  # as above

    if not spec.segments:
        raise TicktalkError(f"universe '{spec.name}' is what its file lists: nothing to compute")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    with Bar(console=Console(stderr=True)) as bar:
        line = bar.add_task(f"{spec.name}: learning what is listed", total=None)

        def note(progress: Progress) -> None:
            words = f"{spec.name}: who bought on {progress.day} ({progress.budget})"
            bar.update(line, description=words, completed=progress.done, total=progress.of)

        (change,) = asyncio.run(_computed(config, spec, note))
    joined, left = len(change.joined), len(change.left)
    click.echo(f"{change.members:,} members, {joined:,} joined, {left:,} left\n", err=True)


async def _computed(
    config: Config, spec: UniverseSpec, note: Callable[[Progress], None]
) -> tuple[Change, ...]:
    from bot.app_sources import build_sources  # noqa: PLC0415  # --help need not load numba
    from bot.app_universes import build_universes  # noqa: PLC0415  # as above
    from engine.membership import Wish  # noqa: PLC0415  # as above
    from engine.universes import Task  # noqa: PLC0415  # as above

    clock = SystemClock()
    store = Store.open(config.settings.store.path, clock)
    try:
        async with httpx.AsyncClient(timeout=config.settings.naver.timeout_seconds) as http:
            sources = build_sources(config, http, clock)
            try:
                task = Task(SEGMENTS[spec.segments[0]], (Wish.of(spec),))
                universes = build_universes(config, store, sources, note)
                return await universes.refresh(task, clock.now())
            finally:
                await sources.close()
    finally:
        store.close()
