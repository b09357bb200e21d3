"""Play seeds of the simulation harness: is every order at the venue exactly once?

Run it as `python benchmarks/exactness.py --broker paper --seeds 1000 --start 0`. Each seed is a
market, people, faults and kills of its own. A seed that fails tells what it broke and the line that
plays it again. The last line is for machines; all but its orders, kills and faults must be 0.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.simulation.exactness import Totals, again
from tests.simulation.world import run_seed


def main() -> int:
    """Play the seeds; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", default="paper", help="kis, upbit, binance, paper or plain")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--stop", action="store_true", help="end at the first seed that fails")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    totals = Totals()
    for seed in range(given.start, given.start + given.seeds):
        report = run_seed(given.broker, seed)
        totals.add(report)
        if report.violations:
            say(again(given.broker, report))
            if given.stop:
                break
    say(totals.beside)
    say(totals.line)
    return 1 if totals.failures else 0


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
