"""Who may ask the pretend KIS: one app key, its tokens and websocket keys, and their lives."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from market.sessions import KST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.clock import Clock

Row = dict[str, Any]

LIFE = timedelta(hours=24)
SAME_FOR = timedelta(hours=6)
ISSUE_PAUSE = timedelta(minutes=1)


class KisKeys:
    """Issues and checks; `issued` counts the tokens that were asked for and given."""

    def __init__(self, clock: Clock, app_key: str, app_secret: str) -> None:
        self._clock = clock
        self._app_key = app_key
        self._app_secret = app_secret
        self._token = ""
        self._approvals: dict[str, datetime] = {}
        self._begun_at: datetime | None = None
        self._issued_at: datetime | None = None
        self._lapsed: set[str] = set()
        self.issued = 0
        self.refused = 0

    def lapse(self) -> None:
        """Let every token end now, long before its time."""
        self._lapsed.add(self._token)
        self._begun_at = None

    def disown(self) -> None:
        """Know no websocket key any more."""
        self._approvals.clear()

    def issue(self, asked: Mapping[str, Any]) -> tuple[int, Row]:
        """Answer tokenP: the same token again within six hours, one a minute."""
        wrong = self._wrong(asked.get("appkey"), asked.get("appsecret"))
        if wrong is not None:
            return 403, _error(*wrong)
        now = self._clock.now()
        if self._issued_at is not None and now - self._issued_at < ISSUE_PAUSE:
            self.refused += 1
            return 403, _error("EGW00133", "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)")
        self.issued += 1
        self._issued_at = now
        if self._begun_at is None or now - self._begun_at >= SAME_FOR:
            self._begun_at = now
            self._token = _made_up("token", self.issued)
        until = (self._begun_at + LIFE).astimezone(KST)
        return 200, {
            "access_token": self._token,
            "access_token_token_expired": f"{until:%Y-%m-%d %H:%M:%S}",
            "token_type": "Bearer",
            "expires_in": 86400,
        }

    def approve(self, asked: Mapping[str, Any]) -> tuple[int, Row]:
        """Answer Approval, whose field for the secret has another name."""
        wrong = self._wrong(asked.get("appkey"), asked.get("secretkey"))
        if wrong is not None:
            return 403, _error(*wrong)
        key = _made_up("approval", len(self._approvals))
        self._approvals[key] = self._clock.now() + LIFE
        return 200, {"approval_key": key}

    def refusal(self, headers: Mapping[str, str]) -> tuple[str, str] | None:
        """Return code and text where a request may not be made, None where it may."""
        wrong = self._wrong(headers.get("appkey"), headers.get("appsecret"))
        if wrong is not None:
            return wrong
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token in self._lapsed:
            return "EGW00123", "기간이 만료된 token 입니다."
        if not self._token or token != self._token or self._begun_at is None:
            return "EGW00121", "유효하지 않은 token 입니다."
        if self._clock.now() >= self._begun_at + LIFE:
            return "EGW00123", "기간이 만료된 token 입니다."
        return None

    def is_approved(self, key: object) -> bool:
        """Tell whether a websocket key opens a session."""
        until = self._approvals.get(str(key))
        return until is not None and self._clock.now() < until

    def _wrong(self, key: object, secret: object) -> tuple[str, str] | None:
        if key != self._app_key:
            return "EGW00103", "유효하지 않은 AppKey입니다."
        if secret != self._app_secret:
            return "EGW00105", "유효하지 않은 AppSecret입니다."
        return None


def _error(code: str, text: str) -> Row:
    return {"error_description": text, "error_code": code}


def _made_up(what: str, number: int) -> str:
    return f"{what}-{sha256(f'{what} {number}'.encode()).hexdigest()}"
