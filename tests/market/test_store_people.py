"""Every update and every key once; people as they were put."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.messages import Person, Role
from market.store_people import Received

if TYPE_CHECKING:
    from market.store import Store, Transaction

NOW = datetime(2026, 10, 2, 0, 0, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
PEOPLE = st.builds(
    Person,
    id=st.integers(-(2**63), 2**63 - 1),
    role=st.sampled_from(Role),
    language=TEXTS,
    name=TEXTS,
)


def receive(store: Store, *updates: int) -> list[bool]:
    return asyncio.run(
        store.write(lambda t: [t.inbox.receive(each, f"{{{each}}}", NOW) for each in updates])
    )


def test_update_is_received_once(store: Store) -> None:
    assert receive(store, 7, 7, 8) == [True, False, True]
    assert receive(store, 8) == [False]


def test_unprocessed_updates_come_in_their_order(store: Store) -> None:
    receive(store, 9, 7, 8)
    asyncio.run(store.write(lambda t: t.inbox.done(8, NOW)))
    assert asyncio.run(store.read(lambda t: t.inbox.unprocessed())) == [
        Received(7, "{7}", NOW),
        Received(9, "{9}", NOW),
    ]


def test_update_is_done_when_it_was_marked(store: Store) -> None:
    receive(store, 7)

    def is_done(transaction: Transaction) -> tuple[bool, bool]:
        return transaction.inbox.is_done(7), transaction.inbox.is_done(8)

    assert asyncio.run(store.read(is_done)) == (False, False)
    asyncio.run(store.write(lambda t: t.inbox.done(7, NOW)))
    assert asyncio.run(store.read(is_done)) == (True, False)


def test_key_works_once(store: Store) -> None:
    def claim(transaction: Transaction) -> bool:
        return transaction.inbox.claim_key("tap:1", NOW)

    assert asyncio.run(store.write(claim))
    assert not asyncio.run(store.write(claim))


@settings(
    max_examples=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kept=PEOPLE)
def test_person_comes_back_exactly(store: Store, kept: Person) -> None:
    asyncio.run(store.write(lambda t: t.people.put(kept, NOW)))
    assert asyncio.run(store.read(lambda t: t.people.get(kept.id))) == kept


def test_person_takes_the_place_of_the_entry_before(store: Store) -> None:
    asyncio.run(store.write(lambda t: t.people.put(Person(1, Role.VIEWER), NOW)))
    asyncio.run(store.write(lambda t: t.people.put(Person(1, Role.TRADER, "en"), NOW)))
    assert asyncio.run(store.read(lambda t: t.people.all())) == [Person(1, Role.TRADER, "en")]


def test_owner_is_found_among_everybody(store: Store) -> None:
    def write(transaction: Transaction) -> list[Person | None]:
        found = [transaction.people.owner()]
        transaction.people.put(Person(1, Role.VIEWER), NOW)
        transaction.people.put(Person(2, Role.OWNER), NOW)
        return [*found, transaction.people.owner()]

    assert asyncio.run(store.write(write)) == [None, Person(2, Role.OWNER)]


def test_removed_person_is_unknown(store: Store) -> None:
    asyncio.run(store.write(lambda t: t.people.put(Person(1, Role.VIEWER), NOW)))
    asyncio.run(store.write(lambda t: t.people.remove(1)))
    asyncio.run(store.write(lambda t: t.people.remove(2)))
    assert asyncio.run(store.read(lambda t: t.people.get(1))) is None
