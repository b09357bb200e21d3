"""What the pipeline tells the chat about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conditions.compile import Condition
    from engine.pipeline import Pipeline


class PipelineWatch:
    """The pipeline as /status and /conditions see it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @property
    def conditions(self) -> Sequence[Condition]:
        """Return the conditions that are being watched."""
        watches = (watch for one in self._pipeline.series for watch in one.watches)
        # one that watches several venues is in the series of each
        return list({watch.condition.name: watch.condition for watch in watches}.values())

    def health(self) -> Mapping[str, object]:
        """Return the source's state, its last good sweep (market time) and its last error."""
        health = self._pipeline.health
        return {
            "state": health.state,
            "crawled_at": health.last_success,
            "last_error": health.last_error,
        }
