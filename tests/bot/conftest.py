"""A world around the dispatcher for every test that asks for one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from market.clock import ManualClock
from market.store import Store
from tests.bot.chat_network import PretendCharts, PretendNetwork
from tests.bot.chat_post import Post, make_outbox
from tests.bot.chat_world import NOW, PEOPLE, NotedEvents, World, build_world, settle_people

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a world with an owner, a trader and a viewer."""
    built = build_world(tmp_path)
    asyncio.run(settle_people(built, *PEOPLE))
    yield built
    built.store.close()


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Return an outbox over an empty store."""
    clock = ManualClock(NOW)
    store = Store.open(tmp_path / "post.sqlite", clock)
    network, charts, events = PretendNetwork(), PretendCharts(), NotedEvents()
    outbox = make_outbox(store, clock, network, charts, events)
    yield Post(store, clock, network, charts, events, outbox)
    store.close()
