"""`ticktalk demo --autopilot` as a user runs it: a process of its own, one JSON object."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-c", "from bot.cli import main; main()", "demo", "--autopilot"]


def test_half_an_hour_of_market_without_a_person(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    done = subprocess.run(  # noqa: S603  # our own program
        [*COMMAND, "--market-minutes", "30", "--json", "--json-log", str(log)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    assert report["errors"] == 0
    assert report["ticks"] > 8_000
    assert report["bars"] > 200
    assert report["signals_exact"] == 1.0
    assert report["alerts_delivered"] >= 2
    assert report["orders_filled"] >= 2
    assert report["commands_answered"] == 13
    kinds = {json.loads(line)["event"] for line in log.read_text().splitlines()}
    assert kinds >= {"ticks", "bar", "signal", "message", "order"}


def test_too_short_a_run_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603  # our own program
        [*COMMAND, "--market-minutes", "1", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert "no alert with its chart reached the channel" in report["problems"]
