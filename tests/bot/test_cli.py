from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from bot.cli import _until_signal, main
from bot.version import VERSION
from config.load import write_folder
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

BAD_CONDITION = """\
name: bad
universe: [KRX:005930]
timeframe: 5m
when: rsy(14) > 3
"""


@pytest.fixture(autouse=True)
def _clean_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Work in a folder of our own, and take back what `run` does to logging."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TICKTALK_")]:
        monkeypatch.delenv(name)
    hook, root = sys.excepthook, logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    sys.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)


def said(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environ)


def refused(*arguments: str, **environ: str) -> str:
    """Return what a command says that exits with 2 and shows no traceback."""
    result = said(*arguments, **environ)
    assert result.exit_code == 2, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.output


def folder(name: str = "mine") -> Path:
    path = Path(name)
    write_folder(path)
    return path


@pytest.mark.parametrize("command", ["run", "demo", "check", "init"])
def test_every_command_has_help(command: str) -> None:
    result = said(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4


def test_the_group_lists_its_commands_and_version() -> None:
    assert all(name in said("-h").output for name in ("run", "demo", "check", "init"))
    assert said("--version").output.strip() == f"ticktalk, version {VERSION}"


def test_the_packaged_configuration_is_well() -> None:
    result = said("check")
    assert result.exit_code == 0
    assert "all is well" in result.output
    assert "volume-breakout (5m)" in result.output


def test_init_writes_a_folder_that_check_accepts() -> None:
    made = said("init", "mine")
    assert made.exit_code == 0
    assert "ticktalk check --config mine" in made.output
    result = said("check", "--config", "mine")
    assert result.exit_code == 0
    assert "mine: all is well" in result.output


def test_init_overwrites_nothing() -> None:
    path = folder() / "settings.yaml"
    path.write_text("crawl: {every_seconds: 30}\n", encoding="utf-8")
    assert "settings.yaml" in refused("init", "mine")
    assert path.read_text(encoding="utf-8") == "crawl: {every_seconds: 30}\n"


def test_init_below_a_file_is_refused() -> None:
    Path("file").write_text("x", encoding="utf-8")
    assert "file" in refused("init", "file/below")


def test_check_tells_every_mistake_with_its_place() -> None:
    path = folder()
    (path / "settings.yaml").write_text("crawl: {source: navr}\n", encoding="utf-8")
    (path / "conditions" / "bad.yaml").write_text(BAD_CONDITION, encoding="utf-8")
    output = refused("check", "--config", "mine")
    assert "settings.yaml:1:17: crawl.source: unknown source 'navr'; did you mean 'naver'" in output
    assert "bad.yaml:4:7: unknown indicator 'rsy'" in output
    assert "problems found" in output


def test_check_counts_a_single_mistake_in_the_singular() -> None:
    (folder() / "settings.yaml").write_text("crawl: {every: 5}\n", encoding="utf-8")
    assert "1 problem found" in refused("check", "--config", "mine")


@pytest.mark.parametrize("command", ["check", "run", "demo"])
def test_a_configuration_that_does_not_exist_is_named(command: str) -> None:
    output = refused(command, "--config", "nowhere")
    assert "nowhere" in output
    assert "named by --config" in output
    assert "ticktalk init" in output


def test_the_environment_names_a_configuration() -> None:
    folder()
    assert "mine: all is well" in said("check", TICKTALK_CONFIG="mine").output
    assert "named by TICKTALK_CONFIG" in refused("check", TICKTALK_CONFIG="nowhere")


def test_a_dotenv_beside_the_settings_is_read() -> None:
    (folder() / ".env").write_text("TICKTALK_CRAWL_EVERY_SECONDS=soon\n", encoding="utf-8")
    assert "TICKTALK_CRAWL_EVERY_SECONDS" in refused("check", "--config", "mine")


def test_run_without_a_token_says_where_to_get_one() -> None:
    output = refused("run")
    assert "@BotFather" in output
    assert "TICKTALK_TELEGRAM_TOKEN" in output
    assert "ticktalk demo" in output
    assert not Path("ticktalk.sqlite").exists()


def test_run_tells_an_unknown_broker() -> None:
    output = refused("run", TICKTALK_TELEGRAM_TOKEN="1:abc", TICKTALK_BROKER_NAME="papre")
    assert "unknown broker 'papre'; did you mean 'paper'?" in output


@pytest.mark.parametrize("place", ["no/such/folder/log.json", "file/log.json"])
def test_a_json_log_that_cannot_be_written_is_told(place: str) -> None:
    Path("file").write_text("x", encoding="utf-8")
    output = refused("run", "--json-log", place, TICKTALK_TELEGRAM_TOKEN="1:abc")
    assert place in output
    assert "choose another file" in output


def test_a_second_run_on_the_same_database_is_told() -> None:
    store = Store.open("ticktalk.sqlite")
    try:
        output = refused("run", TICKTALK_TELEGRAM_TOKEN="1:abc")
    finally:
        store.close()
    assert "another ticktalk" in output.lower()
    assert "ticktalk.sqlite" in output


def test_a_database_of_a_newer_program_is_told() -> None:
    import sqlite3  # noqa: PLC0415  # only here is the file opened by hand

    Store.open("ticktalk.sqlite").close()
    connection = sqlite3.connect("ticktalk.sqlite")
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    output = refused("run", TICKTALK_TELEGRAM_TOKEN="1:abc")
    assert "newer" in output


def test_a_database_in_a_folder_that_does_not_exist_is_told() -> None:
    output = refused(
        "run", TICKTALK_TELEGRAM_TOKEN="1:abc", TICKTALK_STORE_PATH="no/such/folder/x.sqlite"
    )
    assert "no/such/folder" in output


def test_a_file_that_is_no_database_is_told() -> None:
    Path("ticktalk.sqlite").write_text("not a database at all\n" * 100, encoding="utf-8")
    assert "ticktalk.sqlite" in refused("run", TICKTALK_TELEGRAM_TOKEN="1:abc")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_the_work_to_end(number: signal.Signals) -> None:
    async def work(stop: asyncio.Event) -> str:
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await stop.wait()
        return "ended"

    assert asyncio.run(_until_signal(work)) == "ended"
