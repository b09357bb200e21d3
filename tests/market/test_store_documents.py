"""Documents come back as they went in, in the order of their keys."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.store import Store

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def put(store: Store, key: str, value: Mapping[str, Any]) -> None:
    asyncio.run(store.write(lambda t: t.documents.put(key, value)))


def get(store: Store, key: str) -> dict[str, Any] | None:
    return asyncio.run(store.read(lambda t: t.documents.get(key)))


def items(store: Store, prefix: str, after: str = "") -> list[str]:
    found = asyncio.run(store.read(lambda t: t.documents.items(prefix, after)))
    return [key for key, _ in found]


@settings(
    max_examples=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(key=TEXTS, value=st.dictionaries(TEXTS, JSON, max_size=4))
def test_document_comes_back_exactly(store: Store, key: str, value: dict[str, Any]) -> None:
    put(store, key, value)
    assert repr(get(store, key)) == repr(value)


def test_document_takes_the_place_of_the_one_before(store: Store) -> None:
    put(store, "trading", {"state": "active", "by": 1})
    put(store, "trading", {"state": "paused"})
    assert get(store, "trading") == {"state": "paused"}


def test_deleted_document_is_unknown(store: Store) -> None:
    put(store, "trading", {})
    asyncio.run(store.write(lambda t: t.documents.delete("trading")))
    asyncio.run(store.write(lambda t: t.documents.delete("trading")))
    assert get(store, "trading") is None


def test_items_come_by_key_and_respect_case_and_wildcards(store: Store) -> None:
    for key in ("paper/2", "paper/10", "paper/1", "Paper/1", "paper", "papers/1", "pa%er/1"):
        put(store, key, {})
    assert items(store, "paper/") == ["paper/1", "paper/10", "paper/2"]
    assert items(store, "pa%") == ["pa%er/1"]
    assert items(store, "종목") == []


def test_items_follow_a_key(store: Store) -> None:
    for key in ("a/1", "a/2", "a/3", "b/1"):
        put(store, key, {})
    assert items(store, "a/", after="a/1") == ["a/2", "a/3"]
    assert items(store, "a/", after="a/9") == []


def test_value_that_json_does_not_know_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="Decimal"):
        put(store, "cash", {"amount": Decimal(1)})
    assert get(store, "cash") is None
