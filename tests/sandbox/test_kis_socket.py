"""Sessions of the pretend KIS: frames as recorded, registrations, pings."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from sandbox.kis_socket import FIELDS, KisSession, notice
from sandbox.memory_socket import connect_in_memory
from tests.sandbox.kis_house import NOW, SIMULATOR, House, recorded

if TYPE_CHECKING:
    from collections.abc import Callable


def session(house: House) -> tuple[KisSession, Callable[[str, str], str]]:
    """Return a session, and how to say something to it and get the code of the answer."""
    key = house.keys.approve({"appkey": "key", "secretkey": "secret"})[1]["approval_key"]
    opened = KisSession(house.venue, house.faults)

    def say(kind: str, code: str) -> str:
        header = {"approval_key": key, "custtype": "P", "tr_type": kind}
        body = {"input": {"tr_id": "H0STCNT0", "tr_key": code}}
        (answer,) = opened.hear(orjson.dumps({"header": header, "body": body}).decode())
        return str(orjson.loads(answer)["body"]["msg_cd"])

    return opened, say


def test_a_frame_has_the_recorded_fields() -> None:
    house = House()
    opened, say = session(house)
    say("1", "005930")
    house.clock.advance(timedelta(minutes=1))
    frame, *_ = opened.frames()
    theirs = recorded("ws_H0STCNT0_3records.recorded.txt").split("|")
    kind, tr_id, count, payload = frame.split("|")
    assert (kind, tr_id, len(count)) == (theirs[0], theirs[1], len(theirs[2]))
    mine = payload.split("^")
    assert len(mine) == int(count) * FIELDS
    for index, (field, example) in enumerate(
        zip(mine[:FIELDS], theirs[3].split("^")[:FIELDS], strict=True)
    ):
        assert (field == "") == (example == ""), index
        assert field.lstrip("-").replace(".", "").isdecimal() == (
            example.lstrip("-").replace(".", "").isdecimal()
        ), index


def test_trades_are_told_once_and_add_up() -> None:
    house = House()
    opened, say = session(house)
    say("1", "005930")
    records: list[list[str]] = []
    for _ in range(5):
        house.clock.advance(timedelta(minutes=1))
        for frame in opened.frames():
            if frame[0] == "0":
                fields = frame.split("|")[3].split("^")
                records += [fields[at : at + FIELDS] for at in range(0, len(fields), FIELDS)]
        assert not [frame for frame in opened.frames() if frame[0] == "0"]
    (quote,) = SIMULATOR.snapshot(["005930"], house.clock.now())
    (before,) = SIMULATOR.snapshot(["005930"], NOW)
    assert sum(int(one[12]) for one in records) == quote.volume - before.volume
    assert records[-1][2] == f"{quote.price:.0f}"
    assert records[-1][13] == str(quote.volume)


def test_registrations_are_answered_by_code() -> None:
    house = House()
    opened, say = session(house)
    assert [say("1", "005930"), say("1", "005930")] == ["OPSP0000", "OPSP0002"]
    assert [say("2", "005930"), say("2", "005930")] == ["OPSP0001", "OPSP0003"]
    house.faults.failing = {"x"}
    assert say("1", "x") == "OPSP0007"
    assert {say("1", str(number)) for number in range(41)} == {"OPSP0000"}
    assert say("1", "41") == "OPSP0008"
    house.keys.disown()
    assert say("1", "005930") == "OPSP0011"
    assert "OPSP9999" in opened.hear("{")[0]
    house.faults.is_stalled = True
    assert opened.frames() == []


def test_pings_have_the_recorded_form_and_their_echo_is_heard() -> None:
    house = House()
    opened, _ = session(house)
    house.clock.advance(timedelta(seconds=10))
    (ping,) = opened.frames()
    theirs = recorded("ws_PINGPONG.json")
    assert orjson.loads(ping)["header"].keys() == theirs["header"].keys()
    assert orjson.loads(ping)["header"]["tr_id"] == theirs["header"]["tr_id"]
    assert opened.hear(ping) == []
    assert opened.echoes == 1


def test_a_second_session_with_the_key_is_refused_as_recorded() -> None:
    async def scenario() -> str:
        connect = connect_in_memory(House().app)
        async with connect("ws://kis/tryitout"), connect("ws://kis/tryitout") as second:
            return str(await second.recv())

    theirs = recorded("ws_error_OPSP8996.recorded.json")
    assert orjson.loads(asyncio.run(scenario())) == theirs
    mine = orjson.loads(notice("(null)", "", "9", "OPSP8996", "ALREADY IN USE appkey"))
    assert mine == theirs
