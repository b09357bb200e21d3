"""How the pretend Upbit knows who asks: tokens verified by hand, each nonce taken once.

After docs.upbit.com, "Authentication" (2026-09): HS256 over access key, nonce and the SHA-512 of
what is asked, written in the order sent and not percent-encoded.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import orjson


class RequestRefused(Exception):
    """A request that the venue turns away, by status, name and text."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(f"{status} {name}")
        self.status = status
        self.name = name
        self.message = message


class UpbitKeys:
    """One account's pair of keys; `is_revoked` as after a year, or when its owner deletes them."""

    def __init__(self, access_key: str, secret_key: str) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self._nonces: set[str] = set()
        self.is_revoked = False

    def verify(self, header: str | None, asked: str) -> None:
        """Check a request's token; raises RequestRefused (401)."""
        if header is None or not header.startswith("Bearer "):
            raise RequestRefused(401, "no_authorization_token", "인증 토큰을 찾을 수 없습니다.")
        claims = self._claims(header.removeprefix("Bearer "))
        if self.is_revoked:
            raise RequestRefused(401, "expired_access_key", "만료된 API 키입니다.")
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not nonce:
            raise RequestRefused(401, "jwt_verification", "Jwt 토큰 검증에 실패했습니다.")
        if nonce in self._nonces:
            raise RequestRefused(401, "nonce_used", "이미 사용된 nonce 값입니다.")
        self._nonces.add(nonce)
        expected = hashlib.sha512(asked.encode()).hexdigest() if asked else None
        is_hashed = claims.get("query_hash") == expected
        if not is_hashed or (asked and claims.get("query_hash_alg") != "SHA512"):
            raise RequestRefused(401, "invalid_query_payload", "Jwt의 query를 확인해 주세요.")

    def _claims(self, token: str) -> dict[str, Any]:
        failed = RequestRefused(401, "jwt_verification", "Jwt 토큰 검증에 실패했습니다.")
        try:
            head, body, signature = token.split(".")
            header, claims = orjson.loads(_decoded(head)), orjson.loads(_decoded(body))
            signed = _decoded(signature)
        except (ValueError, binascii.Error) as error:
            raise failed from error
        if not isinstance(claims, dict) or header.get("alg") != "HS256":
            raise failed
        if claims.get("access_key") != self._access_key:
            raise RequestRefused(401, "invalid_access_key", "잘못된 엑세스 키입니다.")
        text = f"{head}.{body}".encode()
        right = hmac.new(self._secret_key.encode(), text, hashlib.sha256).digest()
        if not hmac.compare_digest(right, signed):
            raise failed
        return claims


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
