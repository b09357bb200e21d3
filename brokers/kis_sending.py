"""Sending to KIS: one POST, never repeated, and what its answer proves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from brokers.kis_codes import is_surely_refused, reason_of
from market.errors import OrderRejected, OutcomeUnknown, SourceError
from venues.kis_http import TOKEN_REFUSED, TRADING, envelope, headers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import KisSettings
    from venues.kis_token import KisAccess

Row = dict[str, Any]


class KisSending:
    """Posts orders through a client that belongs to the caller.

    OrderRejected is raised only where the answer proves that nothing was executed (by its code,
    whatever the HTTP status), or where no connection came about; everything else is
    OutcomeUnknown. No text holds a key, a token or the account.
    """

    def __init__(self, http: httpx.AsyncClient, settings: KisSettings, access: KisAccess) -> None:
        self._http = http
        self._settings = settings
        self._access = access

    async def token(self) -> str:
        """Return a token to send with; without one nothing is sent, which is OrderRejected."""
        try:
            return await self._access.token()
        except SourceError as error:
            raise OrderRejected("unavailable", f"nothing was sent: {error}") from error

    async def post(self, name: str, tr_id: str, token: str, body: Mapping[str, str]) -> Row:
        """Post once and return the fields of the answer that says it was taken."""
        answer = await self._send(name, headers_of(self._access, tr_id, token), body)
        fields = envelope(answer.content)
        if fields is None:
            raise OutcomeUnknown("unanswered", f"kis {name} answered {answer.status_code}, no JSON")
        code = str(fields.get("msg_cd") or fields.get("error_code") or "")
        told = str(fields.get("msg1") or fields.get("error_description") or "").strip()
        text = self._access.hide(f"kis {name} answered {code} {told}")[:200]
        if fields.get("rt_cd") == "0":
            return fields
        if not is_surely_refused(code):
            raise OutcomeUnknown("unanswered", text)
        if code in TOKEN_REFUSED:
            await self._renew(token)
        raise OrderRejected(reason_of(code, told), text)

    async def _send(
        self, name: str, headers: Mapping[str, str], body: Mapping[str, str]
    ) -> httpx.Response:
        try:
            return await self._http.post(
                self._settings.rest_url + TRADING + name,
                json=dict(body),
                headers=headers,
                timeout=self._settings.timeout_seconds,
                follow_redirects=False,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            # no byte of a request leaves before there is a connection
            kind = type(error).__name__
            raise OrderRejected("unavailable", f"kis is not reachable ({kind})") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            kind = type(error).__name__
            raise OutcomeUnknown("unanswered", f"kis {name} did not answer ({kind})") from error

    async def _renew(self, refused: str) -> None:
        """Get another token for the next order; this one is not sent again."""
        try:
            await self._access.renew(refused)
        except SourceError:
            return
