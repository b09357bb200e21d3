"""Measure what it costs to judge every price: 40 protected names, and coins that nobody holds.

Run it as `python benchmarks/guarded_prices.py [PRICES]`. No price touches a level, so no store is
asked. The last line is for machines: microseconds of the processor a price, and the share of a
core that a thousand prices a second take, of protected names and of others.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import thread_time
from typing import TYPE_CHECKING, Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.desk_guard import Guard
from engine.protect import Protection
from engine.protect_watch import Guarded, PriceWatch
from engine.quotes import Quotes
from market.clock import ManualClock
from market.orders import Position
from market.protect import Protect, Rung
from market.types import Tick

if TYPE_CHECKING:
    from engine.desk_protect import Protector

START = datetime(2026, 11, 24, 3, tzinfo=UTC)
NAMES = [f"KRX:{number:06}" for number in range(40)]
OTHERS = [f"UPBIT:KRW-{number}" for number in range(40)]
PRICES = 50_000
WISH = Protect(
    stop_loss=Decimal("0.03"),
    trailing_stop=Decimal("0.05"),
    time_stop=timedelta(days=5),
    ladder=(Rung(Decimal("0.03"), Decimal("0.5")), Rung(Decimal("0.06"), Decimal("0.5"))),
)


class _Watching:
    """As much of a protector as hears of prices."""

    def __init__(self) -> None:
        self.watch = PriceWatch()


def measured(names: list[str], count: int) -> float:
    """Return the microseconds of the processor that a price takes."""
    watching = _Watching()
    nobody: Any = None
    guard = Guard(Quotes(nobody, ManualClock(START)), nobody, cast("Protector", watching), nobody)
    watching.watch.renew(_guarded(name) for name in NAMES)
    ticks = [
        Tick(
            names[number % len(names)],
            START,
            START + timedelta(milliseconds=number),
            70_000.0 + number % 500,
            volume=0.0,
        )
        for number in range(count)
    ]
    began = thread_time()
    for tick in ticks:
        guard.hear([tick])
    return (thread_time() - began) / count * 1e6


def _guarded(name: str) -> Guarded:
    position = Position(name, Decimal(10), Decimal(70_000))
    return Guarded(
        Protection(name, WISH, 7, START, Decimal(10), Decimal(70_000)),
        position,
    )


def main() -> None:
    """Measure both and tell."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PRICES
    protected, other = measured(NAMES, count), measured(OTHERS, count)
    sys.stdout.write(
        f"protected_us={protected:.1f} protected_core_percent={protected / 10:.2f}"
        f" other_us={other:.1f} other_core_percent={other / 10:.2f}\n"
    )


if __name__ == "__main__":
    main()
