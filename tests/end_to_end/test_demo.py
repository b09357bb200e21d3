"""`ticktalk demo --autopilot` as a user runs it: a process of its own, one JSON object."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DEMO = [sys.executable, "-c", "from bot.cli import main; main()", "demo"]


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own program
        [*DEMO, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_half_an_hour_of_market_without_a_person(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    done = run(
        "--autopilot", "--market-minutes", "30", "--json", "--json-log", str(log), folder=tmp_path
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
    done = run("--autopilot", "--market-minutes", "1", "--json", folder=tmp_path)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert "no alert with its chart reached the channel" in report["problems"]


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--no-open", "--port", str(port), folder=tmp_path)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_without_autopilot_is_refused(tmp_path: Path) -> None:
    done = run("--json", folder=tmp_path)
    assert done.returncode == 2
    assert "--autopilot" in done.stderr
