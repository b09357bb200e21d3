"""Access to KIS: the app key, the token that all processes share, and the websocket's key."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from market.errors import SourceChanged, SourceError, SourceUnavailable
from market.sessions import KST
from venues.kis_token_file import Issued, Kept, TokenFile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from config.settings import KisSettings
    from market.clock import Clock

logger = logging.getLogger(__name__)

LIFE = timedelta(hours=24)
MARGIN = timedelta(minutes=10)
"""Nothing that lapses so soon is used."""
ISSUE_PAUSE = timedelta(seconds=61)
"""KIS issues one token a minute and app key, and answers EGW00133 before that."""
RENEW_PAUSE = timedelta(minutes=10)
"""Every issue is told to the account's owner by KakaoTalk: a fault must not become a flood."""
_WAIT_STEP_SECONDS = 1.0
_TOO_SOON = "EGW00133"
_TOKEN = re.compile(r"[!-~]+")
_HIDDEN = "***"


class _TooSoon(Exception):
    """KIS has issued a token within the last minute."""


class KeyRefused(SourceError):
    """KIS does not know the app key: waiting does not help, the settings are to be mended."""


class KisAccess:
    """Gives the app key with its secret, access tokens and websocket keys; never shows one.

    A token lives 24 hours; asking again within 6 hours brings the same one (KIS Developers,
    2026-07). It is kept in `kis.token_path`, so that all processes which use the app key ask for
    one together. Errors are SourceUnavailable (later), SourceChanged, or a SourceError that
    says which setting is missing or wrong.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: KisSettings,
        clock: Clock,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._settings = settings
        self._clock = clock
        self._pause = pause
        owner = hashlib.sha256(f"{settings.rest_url} {_text(settings.app_key)}".encode())
        self._file = TokenFile(Path(settings.token_path), owner.hexdigest()[:16], pause)
        self._known = Kept()
        self._turn = asyncio.Lock()
        self._renewed_at: datetime | None = None
        self._key_refused: tuple[datetime, str] | None = None
        self._secrets = {_text(settings.app_key), _text(settings.app_secret)}
        account = _text(settings.account).replace("-", "")
        self._secrets |= {account, account[:8], _text(settings.account), _text(settings.hts_id)}
        self._secrets -= {""}

    def keys(self) -> tuple[str, str]:
        """Return app key and secret; raises SourceError that names the variables to set."""
        names = {
            "TICKTALK_KIS_APP_KEY": self._settings.app_key,
            "TICKTALK_KIS_APP_SECRET": self._settings.app_secret,
        }
        missing = [name for name, value in names.items() if value is None]
        if missing:
            raise SourceError(
                f"kis: set {' and '.join(missing)} in .env; KIS Developers"
                " (https://apiportal.koreainvestment.com) gives app key and secret"
            )
        return _text(self._settings.app_key), _text(self._settings.app_secret)

    def hide(self, text: str) -> str:
        """Return a text of somebody else's without anything that is secret here."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    async def token(self) -> str:
        """Return an access token that is good for a while."""
        self.keys()
        async with self._turn:
            if not self._serves(self._known.token):
                self._raise_refused()
                await self._obtain()
            return self._value(self._known.token)

    async def renew(self, refused: str) -> str:
        """Return another token than the one that KIS has just refused.

        It is asked for once; SourceUnavailable where KIS gives none or the same, and for ten
        minutes after that.
        """
        async with self._turn:
            if not self._serves(self._known.token, refused):
                now = self._clock.now()
                if self._renewed_at is not None and now < self._renewed_at + RENEW_PAUSE:
                    raise SourceUnavailable("kis refuses its own token, and a new one too")
                self._renewed_at = now
                await self._obtain(refused)
            return self._value(self._known.token)

    async def approval(self) -> str:
        """Return the key that opens a websocket session; lives 24 hours like a token."""
        self.keys()
        async with self._turn:
            if not self._serves(self._known.approval):
                async with self._file.locked():
                    self._remember(self._file.read())
                    if not self._serves(self._known.approval):
                        self._file.write(approval=await self._approve())
                        self._remember(self._file.read())
            return self._value(self._known.approval)

    async def forget_approval(self) -> None:
        """Let the next session ask for a new key: the websocket has refused this one."""
        async with self._turn, self._file.locked():
            self._file.write(approval=None)
            self._remember(self._file.read())

    async def _obtain(self, refused: str = "") -> None:
        """Find or ask for a token; one that another process got meanwhile is as good."""
        for _ in range(2):
            await self._wait_for_turn(refused)
            async with self._file.locked():
                self._remember(self._file.read())
                if self._serves(self._known.token, refused):
                    return
                if self._seconds_to_wait() > 0:
                    continue
                self._file.write(asked_at=self._clock.now())
                try:
                    issued = await self._issue()
                except _TooSoon:
                    continue
                except KeyRefused as error:
                    self._key_refused = self._clock.now(), str(error)
                    raise
                self._file.write(token=issued)
                self._remember(self._file.read())
            if issued.value == refused:
                raise SourceUnavailable("kis refuses its token and issues the same one again")
            logger.info("kis: a new access token, good until %s", issued.expires_at.isoformat())
            return
        raise SourceUnavailable("kis: one token a minute, and another program with this key got it")

    def _raise_refused(self) -> None:
        """Answer as KIS did within this minute, so that nobody waits for the same refusal."""
        if self._key_refused is None:
            return
        at, text = self._key_refused
        if self._clock.now() < at + ISSUE_PAUSE:
            raise KeyRefused(text)
        self._key_refused = None

    async def _wait_for_turn(self, refused: str) -> None:
        """Wait until somebody else's token is there, or a token may be asked for."""
        waited = 0.0
        while waited < ISSUE_PAUSE.total_seconds():
            self._remember(self._file.read())
            left = self._seconds_to_wait()
            if left <= 0 or self._serves(self._known.token, refused):
                return
            step = min(left, _WAIT_STEP_SECONDS)
            await self._pause(step)
            waited += step

    def _seconds_to_wait(self) -> float:
        asked_at = self._known.asked_at
        if asked_at is None:
            return 0.0
        left = asked_at + ISSUE_PAUSE - self._clock.now()
        return min(left, ISSUE_PAUSE).total_seconds()

    def _serves(self, issued: Issued | None, refused: str = "") -> bool:
        if issued is None or issued.value == refused:
            return False
        return self._clock.now() + MARGIN < issued.expires_at

    def _remember(self, kept: Kept) -> None:
        self._known = kept
        self._secrets |= {one.value for one in (kept.token, kept.approval) if one is not None}

    def _value(self, issued: Issued | None) -> str:
        if issued is None:
            raise SourceUnavailable("kis: another process took the token away")
        return issued.value

    async def _issue(self) -> Issued:
        key, secret = self.keys()
        answer = await self._post("/oauth2/tokenP", {"appkey": key, "appsecret": secret})
        return self._issued(answer, "access_token", _expiry(answer))

    async def _approve(self) -> Issued:
        key, secret = self.keys()
        answer = await self._post("/oauth2/Approval", {"appkey": key, "secretkey": secret})
        return self._issued(answer, "approval_key", None)

    def _issued(self, answer: dict[str, Any], name: str, expiry: datetime | None) -> Issued:
        value = answer.get(name)
        if not isinstance(value, str) or _TOKEN.fullmatch(value) is None:
            shown = self.hide(", ".join(sorted(answer)))
            raise SourceChanged(f"kis: expected {name} in the answer, which has {shown[:80]}")
        now = self._clock.now()
        latest = now + LIFE
        return Issued(value, now, latest if expiry is None else min(latest, expiry))

    async def _post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        """Ask once; the answer's fields decide, whatever its status."""
        try:
            answer = await self._http.post(
                self._settings.rest_url + path,
                json={"grant_type": "client_credentials", **body},
                timeout=self._settings.timeout_seconds,
                follow_redirects=False,
            )
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise SourceUnavailable(
                f"kis {path} did not answer ({type(error).__name__})"
            ) from error
        try:
            fields = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            fields = None
        if not isinstance(fields, dict):
            # not a word of it is shown: it may hold what was sent
            worse = SourceUnavailable if answer.status_code >= 500 else SourceChanged
            raise worse(f"kis {path} answered {answer.status_code} and no JSON object")
        self._refuse(path, answer.status_code, fields)
        return fields

    def _refuse(self, path: str, status: int, fields: dict[str, Any]) -> None:
        code = str(fields.get("error_code") or fields.get("msg_cd") or "")
        if code == _TOO_SOON:
            raise _TooSoon
        if not code and status == httpx.codes.OK:
            return
        told = fields.get("error_description") or fields.get("msg1") or ""
        text = self.hide(f"kis {path} answered {status} {code} {str(told).strip()}")[:200]
        if status >= 500 or not code:
            raise SourceUnavailable(text)
        raise KeyRefused(f"{text}; check TICKTALK_KIS_APP_KEY and TICKTALK_KIS_APP_SECRET")


def _expiry(answer: dict[str, Any]) -> datetime | None:
    """Return when a token lapses (KST in the answer), None where that is not told."""
    try:
        at = datetime.strptime(str(answer["access_token_token_expired"]), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  the zone follows
    except (KeyError, ValueError):
        return None
    return at.replace(tzinfo=KST).astimezone(UTC)


def _text(secret: Any) -> str:
    return "" if secret is None else str(secret.get_secret_value())
