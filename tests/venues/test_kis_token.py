"""Tokens of KIS: issued once, shared by everybody who has the file, never shown."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import orjson
import pytest
import respx
from pydantic import SecretStr

from market.errors import SourceChanged, SourceError, SourceUnavailable
from tests.crawlers.kis_world import APP_KEY, APP_SECRET, REST, KisWorld, kis_world, settings
from venues.kis_token import KisAccess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

Found = TypeVar("Found")


@dataclass
class Desk:
    """A pretend KIS, and accesses that wait in its time."""

    world: KisWorld
    pauses: list[float] = field(default_factory=list)
    during_pause: Callable[[], Awaitable[None]] | None = None

    def access(self, **changes: Any) -> KisAccess:
        """Return an access as another process would have it."""
        kis = self.world.settings.kis.model_copy(update=changes)
        return KisAccess(self.world.http, kis, self.world.clock, self.pause)

    async def pause(self, seconds: float) -> None:
        """Let the pretend time pass."""
        self.pauses.append(seconds)
        self.world.clock.advance(timedelta(seconds=seconds))
        if self.during_pause is not None:
            job, self.during_pause = self.during_pause, None
            await job()


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    async with kis_world(folder) as world:
        yield Desk(world)


def run(folder: Path, job: Callable[[Desk], Awaitable[Found]]) -> Found:
    async def scenario() -> Found:
        async with desk(folder) as opened:
            return await job(opened)

    return asyncio.run(scenario())


def test_many_tasks_and_accesses_share_one_issue(tmp_path: Path) -> None:
    async def job(at: Desk) -> tuple[int, int, int]:
        first, second = at.access(), at.access()
        asked = [one.token() for one in (first, first, second, first, second)]
        tokens = set(await asyncio.gather(*asked))
        return len(tokens), at.world.keys.issued, at.world.keys.refused

    assert run(tmp_path, job) == (1, 1, 0)


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    async def job(at: Desk) -> None:
        os.umask(0)
        await at.access().token()
        await at.access().approval()

    before = os.umask(0o022)
    try:
        run(tmp_path, job)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"kis_token.json": 0o600, "kis_token.json.lock": 0o600}
    written = (tmp_path / "kis_token.json").read_text()
    assert APP_KEY not in written
    assert APP_SECRET not in written


def test_a_file_that_others_may_read_is_closed_at_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "kis_token.json"
    path.write_text("{}")
    path.chmod(0o644)
    run(tmp_path, lambda at: at.access().token())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_too_soon_for_another_one_waits_for_its_minute(tmp_path: Path) -> None:
    async def job(at: Desk) -> tuple[float, int]:
        # a program that does not share the file has just got one
        at.world.keys.issue({"appkey": APP_KEY, "appsecret": APP_SECRET})
        await at.access().token()
        return sum(at.pauses), at.world.keys.refused

    waited, refused = run(tmp_path, job)
    assert 60 < waited < 62
    assert refused == 1


def test_too_soon_takes_the_token_that_another_process_got_meanwhile(tmp_path: Path) -> None:
    async def job(at: Desk) -> tuple[float, int, bool]:
        at.world.keys.issue({"appkey": APP_KEY, "appsecret": APP_SECRET})
        waiting = at.access()
        until = at.world.clock.now() + timedelta(hours=3)
        other = {"value": "another's", "issued_at": until, "expires_at": until}
        path = tmp_path / "kis_token.json"

        async def other_process_writes() -> None:
            (owner,) = orjson.loads(path.read_bytes())
            entry = {"token": other, "approval": None, "asked_at": None}
            path.write_bytes(orjson.dumps({owner: entry}))

        at.during_pause = other_process_writes
        token = await waiting.token()
        return sum(at.pauses), at.world.keys.refused, token == "another's"

    assert run(tmp_path, job) == (1.0, 1, True)


def test_who_asks_within_a_minute_of_another_does_not_ask_in_vain(tmp_path: Path) -> None:
    async def job(at: Desk) -> tuple[int, int]:
        token = await at.access().token()
        at.world.keys.lapse()
        await at.access().renew(token)
        return at.world.keys.issued, at.world.keys.refused

    assert run(tmp_path, job) == (2, 0)


def test_a_key_that_kis_does_not_know_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def job(at: Desk) -> list[str]:
        access = at.access(app_key=SecretStr("PSwrong"))
        asked = [access.token() for _ in range(3)]
        errors = await asyncio.gather(*asked, return_exceptions=True)
        assert at.pauses == []
        at.world.clock.advance(timedelta(seconds=61))
        errors += await asyncio.gather(access.token(), return_exceptions=True)
        assert at.world.faults.asked == ["tokenP", "tokenP"]
        assert not any(isinstance(error, SourceUnavailable) for error in errors)
        return [str(error) for error in errors]

    (told,) = set(run(tmp_path, job))
    assert "check TICKTALK_KIS_APP_KEY and TICKTALK_KIS_APP_SECRET" in told
    assert "PSwrong" not in told


def test_a_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    async def job(at: Desk) -> list[int]:
        access, counts = at.access(), []
        for hours in (0, 23, 0.9):
            at.world.clock.advance(timedelta(hours=hours))
            await access.token()
            counts.append(at.world.keys.issued)
        return counts

    assert run(tmp_path, job) == [1, 1, 2]


def test_the_same_token_again_is_no_renewal(tmp_path: Path) -> None:
    async def job(at: Desk) -> None:
        access = at.access()
        token = await access.token()
        at.world.clock.advance(timedelta(hours=2))
        with pytest.raises(SourceUnavailable, match="issues the same one again"):
            await access.renew(token)
        at.world.clock.advance(timedelta(minutes=5))
        with pytest.raises(SourceUnavailable, match="refuses its own token"):
            await access.renew(token)
        assert at.world.keys.issued == 2

    run(tmp_path, job)


def test_a_token_that_another_process_renewed_is_taken(tmp_path: Path) -> None:
    async def job(at: Desk) -> bool:
        slow, quick = at.access(), at.access()
        token = await slow.token()
        assert await quick.token() == token
        at.world.keys.lapse()
        renewed = await quick.renew(token)
        taken = await slow.renew(token)
        return taken == renewed != token and at.world.keys.issued == 2

    assert run(tmp_path, job)


def test_two_app_keys_share_a_file(tmp_path: Path) -> None:
    async def job(at: Desk) -> None:
        await at.access().token()
        with pytest.raises(SourceError, match="EGW00103"):
            await at.access(app_key=SecretStr("another")).token()
        await at.access().token()
        assert at.world.keys.issued == 1

    run(tmp_path, job)
    assert len(orjson.loads((tmp_path / "kis_token.json").read_bytes())) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"%s": 5}', b'{"%s": {"token": 1}}'])
def test_a_file_that_cannot_be_read_is_written_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kis_token.json"
    run(tmp_path, lambda at: at.access().token())
    (owner,) = orjson.loads(path.read_bytes())
    path.write_bytes(content.replace(b"%s", owner.encode()))
    run(tmp_path, lambda at: at.access().token())
    assert orjson.loads(path.read_bytes())[owner]["token"]["value"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def job(at: Desk) -> None:
        await at.access(token_path=str(tmp_path / "nowhere" / "token.json")).token()

    with pytest.raises(SourceError, match=r"nowhere/token.json.*set kis.token_path"):
        run(tmp_path, job)


def test_a_lock_that_is_kept_too_long_is_unavailable(tmp_path: Path) -> None:
    async def job(at: Desk) -> None:
        with (tmp_path / "kis_token.json.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(SourceUnavailable, match="another process has kept"):
                await at.access().token()
            assert 29 < sum(at.pauses) < 31
        await at.access().token()

    run(tmp_path, job)


def test_an_approval_key_is_kept_until_it_is_refused(tmp_path: Path) -> None:
    async def job(at: Desk) -> None:
        first = await at.access().approval()
        assert await at.access().approval() == first
        access = at.access()
        await access.forget_approval()
        assert await access.approval() != first
        assert at.world.faults.asked == ["Approval", "Approval"]

    run(tmp_path, job)


def test_what_is_issued_is_in_no_repr(tmp_path: Path) -> None:
    async def job(at: Desk) -> None:
        access = at.access()
        token = await access.token()
        assert token not in repr(access._known)
        assert token not in repr(access._file.read())

    run(tmp_path, job)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (httpx.Response(200, json={"accessToken": "tell-me-not"}), SourceChanged, "accessToken"),
        (httpx.Response(200, json={"access_token": "a b"}), SourceChanged, "expected access_token"),
        (httpx.Response(200, text="tell-me-not"), SourceChanged, "no JSON object"),
        (httpx.Response(503, text="tell-me-not"), SourceUnavailable, "answered 503"),
        (httpx.Response(500, json={"error_code": "EGW00002"}), SourceUnavailable, "EGW00002"),
        (httpx.Response(302), SourceChanged, "answered 302"),
        (httpx.ConnectError("tell-me-not"), SourceUnavailable, "ConnectError"),
    ],
)
def test_an_odd_answer_is_told_without_a_word_of_it(
    tmp_path: Path, answer: httpx.Response | Exception, error: type[Exception], text: str
) -> None:
    async def scenario() -> None:
        async with respx.mock() as mock, httpx.AsyncClient() as http, desk(tmp_path) as at:
            mock.post(f"{REST}/oauth2/tokenP").mock(side_effect=[answer])
            await KisAccess(http, settings(tmp_path).kis, at.world.clock, at.pause).token()

    with pytest.raises(error, match=text) as raised:
        asyncio.run(scenario())
    assert "tell-me-not" not in str(raised.value)
