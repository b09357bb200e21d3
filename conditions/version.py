"""The version of a condition: a digest of its meaning, the same for other words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from conditions.nodes import to_text
from config.condition_file import Unknown

if TYPE_CHECKING:
    from conditions.truths import Truth
    from config.condition_file import ConditionSpec


def version_of(spec: ConditionSpec, when: Truth, clear: Truth | None) -> str:
    """Return a short digest of everything that decides when the condition fires."""
    meaning = [
        spec.timeframe.value,
        to_text(when.node),
        to_text(clear.node) if clear else "",
        str(spec.hold_bars),
        str(spec.cooldown.total_seconds()),
        "-".join(one.isoformat() for one in spec.between or ()),
    ]
    if spec.keep_for:
        meaning.append(f"keep_for {spec.keep_for.total_seconds()}")
    if spec.expires is not None:
        meaning.append(f"expires {spec.expires.total_seconds()}")
    if spec.on_unknown is not Unknown.HOLD:
        meaning.append(f"on_unknown {spec.on_unknown} {spec.unknown_bars}")
    if spec.fires_every_bar:
        meaning.append("every bar")
    if spec.is_intrabar:
        meaning.append("intrabar")
    if spec.muted_by is not None:
        meaning.append(f"muted_by {spec.muted_by.condition.text} {spec.muted_by.instrument}")
    return hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:12]
