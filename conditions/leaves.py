"""The comparisons and events at the ends of a verdict, as its author wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.truths import Lasting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conditions.truths import Truth


def leaves(truth: Truth) -> Iterator[Truth]:
    """Yield what has no verdicts in it, in order; `for` and `within` directly around it stay."""
    if not truth.parts or (isinstance(truth, Lasting) and not truth.source.parts):
        yield truth
        return
    for part in truth.parts:
        yield from leaves(part)
