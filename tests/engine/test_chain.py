"""Sources that stand in for each other."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from engine.chain import CHART, FIRST_REST, LONGEST_REST, SWEEP, Answer, Chain, Named
from market.errors import SourceChanged, SourceError, SourceUnavailable
from tests.engine.traded_market import kst

if TYPE_CHECKING:
    from datetime import datetime

    from crawlers.source import Source

NOW = kst("10:00")
DOWN = SourceUnavailable("no answer")
ODD = SourceChanged("other page")


class Asked:
    """A source whose answers are written down beforehand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: SourceError | None = None
        self.count = 0


FIRST, SECOND = Asked("first"), Asked("second")


@pytest.fixture
def chain() -> Chain:
    members = [FIRST, SECOND]
    for one in members:
        one.error, one.count = None, 0
    return Chain([Named(one.name, cast("Source", one)) for one in members])


async def call(source: Source) -> str:
    asked = cast("Asked", source)
    asked.count += 1
    if asked.error is not None:
        raise asked.error
    return asked.name


def ask(chain: Chain, at: datetime = NOW, kind: str = SWEEP) -> Answer[str]:
    return asyncio.run(chain.ask(kind, call, at))


def test_the_first_source_answers(chain: Chain) -> None:
    answer = ask(chain)
    assert (answer.value, answer.by.name, answer.failures) == ("first", "first", ())
    assert SECOND.count == 0


@pytest.mark.parametrize("error", [DOWN, ODD])
def test_the_second_is_asked_at_once_when_the_first_fails(chain: Chain, error: SourceError) -> None:
    FIRST.error = error
    answer = ask(chain)
    assert (answer.value, answer.failures) == ("second", (error,))


def test_what_failed_rests_and_comes_back_by_itself(chain: Chain) -> None:
    FIRST.error = DOWN
    ask(chain)
    assert list(chain.resting(NOW)) == [(SWEEP, "first", NOW + FIRST_REST)]
    ask(chain, NOW + timedelta(seconds=10))
    assert FIRST.count == 1
    FIRST.error = None
    assert ask(chain, NOW + FIRST_REST).value == "first"
    assert list(chain.resting(NOW + FIRST_REST)) == []


def test_rests_grow_up_to_a_bound_and_begin_short_again(chain: Chain) -> None:
    FIRST.error, at, rests = DOWN, NOW, []
    for _ in range(6):
        ask(chain, at)
        ((_, _, until),) = chain.resting(at)
        rests.append(until - at)
        at = until
    assert rests[0] == FIRST_REST
    assert rests[1] == 2 * FIRST_REST
    assert rests[-1] == LONGEST_REST
    FIRST.error = None
    ask(chain, at)
    FIRST.error = DOWN
    ask(chain, at)
    assert [until - at for _, _, until in chain.resting(at)] == [FIRST_REST]


def test_when_all_fail_all_are_named_and_none_is_spared_next_time(chain: Chain) -> None:
    FIRST.error, SECOND.error = DOWN, ODD
    with pytest.raises(SourceUnavailable, match=r"no answer; other page"):
        ask(chain)
    with pytest.raises(SourceUnavailable):
        ask(chain, NOW + timedelta(seconds=1))
    assert (FIRST.count, SECOND.count) == (2, 2)


def test_when_all_pages_have_changed_that_is_what_is_said(chain: Chain) -> None:
    FIRST.error = SECOND.error = ODD
    with pytest.raises(SourceChanged):
        ask(chain)


def test_a_source_alone_is_always_asked_and_its_own_error_is_raised() -> None:
    FIRST.error, FIRST.count = DOWN, 0
    alone = Chain([Named("first", cast("Source", FIRST))])
    for _ in range(3):
        with pytest.raises(SourceUnavailable) as caught:
            ask(alone)
        assert caught.value is DOWN
    assert FIRST.count == 3


def test_a_chart_that_is_down_does_not_move_the_prices(chain: Chain) -> None:
    FIRST.error = DOWN
    assert ask(chain, kind=CHART).value == "second"
    FIRST.error = None
    assert ask(chain).value == "first"


def test_an_odd_chart_of_one_instrument_is_no_reason_to_rest(chain: Chain) -> None:
    FIRST.error = ODD
    assert ask(chain, kind=CHART).value == "second"
    assert list(chain.resting(NOW)) == []


def test_what_is_distrusted_rests(chain: Chain) -> None:
    chain.distrust(SWEEP, chain.members[0], NOW)
    assert ask(chain).value == "second"


def test_a_venue_needs_a_source() -> None:
    with pytest.raises(ValueError, match="without a source"):
        Chain([])
