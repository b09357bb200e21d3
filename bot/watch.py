"""What the pipeline tells the chat about itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.look import live_looks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conditions.compile import Condition
    from engine.look import Look
    from engine.pipeline import Pipeline
    from market.types import InstrumentId


class PipelineWatch:
    """The pipeline as /status and /conditions see it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @property
    def conditions(self) -> Sequence[Condition]:
        """Return the conditions that are being watched."""
        return self._pipeline.conditions

    def health(self) -> Mapping[str, object]:
        """Return the source's state, its last good sweep (market time) and its last error."""
        health = self._pipeline.health
        return {
            "state": health.state,
            "crawled_at": health.last_success,
            "last_error": health.last_error,
        }

    async def looks(self, condition: str, instrument: InstrumentId | None = None) -> Sequence[Look]:
        """Return copies of a condition's bars and states, one a venue it watches."""
        return await asyncio.to_thread(live_looks, self._pipeline.series, condition, instrument)
