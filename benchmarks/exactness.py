"""Play seeds of the simulation harness: is every order at the venue exactly once?

Run it as `python benchmarks/exactness.py --broker paper --seeds 1000 --start 0 --jobs 2`. Each seed
is a market, people, faults and kills of its own. A seed that fails tells what it broke and the line
that plays it again. The last line is for machines; all but its orders, kills and faults must be 0.
"""

from __future__ import annotations

import argparse
import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.simulation.exactness import Totals, again
from tests.simulation.world import run_seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.world import Report

AT_ONCE = 25
"""How many seeds a process is handed at a time."""


def main() -> int:
    """Play the seeds; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", default="paper", help="kis, upbit, binance, paper or plain")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes among which to split them")
    parser.add_argument("--stop", action="store_true", help="end at the first seed that fails")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    totals = Totals()
    for report in reports(given.broker, range(given.start, given.start + given.seeds), given.jobs):
        totals.add(report)
        if report.violations:
            say(again(given.broker, report))
            if given.stop:
                break
    say(totals.beside)
    say(totals.line)
    return 1 if totals.failures else 0


def reports(broker: str, seeds: range, jobs: int) -> Iterator[Report]:
    """Yield what each seed came to, in order; with several jobs each is a process of its own."""
    play = partial(run_seed, broker)
    if jobs <= 1:
        yield from map(play, seeds)
        return
    with ProcessPoolExecutor(jobs, get_context("forkserver"), quieten) as processes:
        yield from processes.map(play, seeds, chunksize=AT_ONCE)


def quieten() -> None:
    """Let a process say nothing of what the program logs."""
    logging.disable(logging.CRITICAL)


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
