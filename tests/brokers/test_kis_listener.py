"""The socket makes fills fresher, and is believed only for a short while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from market.errors import SourceChanged
from sandbox.kis_order_rows import sealed
from sandbox.kis_socket import IV, KEY, notice
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.kis_venue import HTS_ID, KisVenue, run
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from pathlib import Path

LISTENING: dict[str, Any] = {"hts_id": SecretStr(HTS_ID)}


FRAME = "1|H0STCNI"


async def listening(venue: KisVenue) -> None:
    """Wait until the subscription was taken, and ask for what was before it."""
    venue.broker._listener.ensure()
    await venue.tap.until("OPSP0000")
    await venue.broker.fills("")


def day_requests(venue: KisVenue) -> int:
    return venue.wire.count("inquire-daily-ccld")


def test_a_fill_is_news(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await listening(venue)
        await venue.broker.place(order())
        await venue.tap.until(FRAME)
        await venue.broker.fills("")
        await venue.trade(70_000)
        await venue.broker.news()
        assert len(await venue.broker.fills("")) == 1

    run(tmp_path, scenario, **LISTENING)


def test_while_the_socket_is_quiet_nothing_is_asked(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await listening(venue)
        await venue.broker.place(order())
        await venue.tap.until(FRAME)  # that it was taken
        await venue.broker.fills("")
        asked = day_requests(venue)
        for _ in range(3):
            await venue.wait(5)
            await venue.broker.fills("")
        assert day_requests(venue) == asked
        await venue.wait(10)
        await venue.broker.fills("")
        assert day_requests(venue) == asked + 1

    run(tmp_path, scenario, **LISTENING)


def test_a_lost_message_only_makes_it_later(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await listening(venue)
        venue.plan.script(Channel.MESSAGE, None, OrderFault.LOST_MESSAGE)
        await venue.broker.place(order())
        await venue.tap.until(FRAME)
        await venue.broker.fills("")
        await venue.trade(70_000)
        await venue.wait(21)
        assert len(await venue.broker.fills("")) == 1

    run(tmp_path, scenario, **LISTENING)


def test_without_a_login_id_everything_is_asked_for(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        await venue.trade(70_000)
        assert len(await venue.broker.fills("")) == 1
        assert venue.faults.opened == 0

    run(tmp_path, scenario)


def test_a_session_of_another_program_is_not_fought_with(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        listener = venue.broker._listener
        text = notice("(null)", "", "9", "OPSP8996", "ALREADY IN USE appkey")
        await listener._socket._session._take(text)
        await venue.broker.place(order())
        await venue.trade(70_000)
        assert len(await venue.broker.fills("")) == 1
        assert venue.faults.opened == 0
        await venue.wait(61)
        listener.ensure()
        await venue.tap.until("OPSP0000")

    run(tmp_path, scenario, **LISTENING)


def test_fills_of_another_account_are_no_news(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await listening(venue)
        listener = venue.broker._listener
        assert listener.is_quiet()
        fields = ["", "1111111101", *[""] * 24]
        listener.hear(sealed(fields, "H0STCNI0", IV, KEY))
        assert listener.is_quiet()
        with pytest.raises(SourceChanged):
            listener.hear("1|H0STCNI0|001|unreadable")
        assert not listener.is_quiet()

    run(tmp_path, scenario, **LISTENING)


def test_what_is_told_twice_or_in_another_order_is_one_fill(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await listening(venue)
        faults = (OrderFault.REORDERED, OrderFault.DUPLICATED, OrderFault.DUPLICATED)
        venue.plan.script(Channel.MESSAGE, *faults)
        await venue.broker.place(order())
        await venue.trade(70_000, most=4)
        await venue.trade(70_000)
        await venue.tap.until(FRAME, 5)
        assert sum(fill.quantity for fill in await venue.broker.fills("")) == 10

    run(tmp_path, scenario, **LISTENING)


def test_the_virtual_server_tells_by_another_name(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await listening(venue)
        await venue.broker.place(order())
        await venue.trade(70_000)
        await venue.broker.news()
        assert len(await venue.broker.fills("")) == 1

    run(tmp_path, scenario, is_virtual=True, **LISTENING)
