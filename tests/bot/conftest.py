"""A world around the dispatcher for every test that asks for one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.bot.chat_world import PEOPLE, World, build_world, settle_people

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
