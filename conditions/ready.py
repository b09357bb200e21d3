"""Makes conditions ready to be judged, so that the first bar need not wait for numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import evaluate
from conditions.panels import panel_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conditions.compile import Condition

NOBODY = "KRX:000000"
BARS = 8


def make_ready(conditions: Iterable[Condition]) -> None:
    """Compile the kernels that these conditions use, or load them from numba's cache.

    Those that none of them uses are left alone: compiling one takes half a second. Give it the
    conditions of an edited file before they are judged.
    """
    row = np.zeros(1, dtype=np.int64)
    for condition in conditions:
        evaluate(condition, panel_for([condition], [NOBODY], BARS), row)
