"""Proof that the owner is the owner: a code of an authenticator app, or a PIN.

Wrong tries are counted in the store, so that a restart gives no new ones.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyotp

from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from market.store import Store, Transaction

ATTEMPTS = 5
LOCK = timedelta(hours=1)
"""After so many wrong tries nothing is tried for so long."""

STEP_SECONDS = 30
STEPS = (0, -1, 1)
"""A code of the step before and after will do: clocks differ (RFC 6238, 5.2)."""

_TRIES = "access/tries"
_PIN = "access/pin"
_PIN_FORM = re.compile(r"[0-9]{6,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a try: the text key of why it failed, "" where the code was right."""

    code: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_given(self) -> bool:
        """Tell whether the code was right."""
        return not self.code


class SecondFactor:
    """Checks codes; with a secret of an authenticator app that alone counts, else the PIN."""

    def __init__(self, store: Store, totp_secret: SecretStr | None) -> None:
        self._store = store
        self._totp_secret = totp_secret

    @property
    def is_totp(self) -> bool:
        """Tell whether an authenticator app is set up."""
        return self._totp_secret is not None

    async def is_set(self) -> bool:
        """Tell whether there is anything to prove with."""
        return self.is_totp or await self._store.read(lambda tx: tx.documents.get(_PIN)) is not None

    async def prove(self, code: str, now: datetime) -> Proof:
        """Check a code, once: one of an app counts a single time, wrong ones are counted.

        factor.wrong (with `left`), factor.locked (with `minutes`), factor.missing.
        """
        code = re.sub(r"[\s-]", "", code)[:64]
        hashed = None if self.is_totp else await self._hashed(code)

        def attempt(tx: Transaction) -> Proof:
            tries = tx.documents.get(_TRIES) or {}
            locked = _locked(tries, now)
            if locked is not None:
                return locked
            if self.is_totp:
                step = self._step(code, now, after=int(tries.get("step", -1)))
                right = {"step": step} if step is not None else None
            else:
                kept = tx.documents.get(_PIN)
                if kept is None:
                    return Proof("factor.missing")
                right = {} if _is_same(kept, hashed) else None
            if right is not None:
                tx.documents.put(_TRIES, {**_fresh(tries), **right})
                return Proof()
            return _count(tx, tries, now)

        return await self._store.write(attempt)

    async def choose_pin(self, pin: str) -> str:
        """Keep the hash of a PIN and forget the one before; the caller has proved who asks.

        pin.done, pin.form, pin.totp.
        """
        if self.is_totp:
            return "pin.totp"
        if _PIN_FORM.fullmatch(pin) is None or len(set(pin)) < 3:
            return "pin.form"
        salt = secrets.token_bytes(16)
        hashed = await asyncio.to_thread(_hash, pin, salt)
        kept = {"salt": salt.hex(), "hash": hashed}
        await self._store.write(lambda tx: tx.documents.put(_PIN, kept))
        return "pin.done"

    async def _hashed(self, code: str) -> str | None:
        kept = await self._store.read(lambda tx: tx.documents.get(_PIN))
        if kept is None:
            return None
        return await asyncio.to_thread(_hash, code, bytes.fromhex(kept["salt"]))

    def _step(self, code: str, now: datetime, after: int) -> int | None:
        """Return the step of a code that is right and newer than the last one that counted."""
        if self._totp_secret is None:
            return None
        totp = pyotp.TOTP(self._totp_secret.get_secret_value(), interval=STEP_SECONDS)
        present = to_ms(now) // 1000 // STEP_SECONDS
        typed = code.encode("utf-8", "replace")
        right = [
            present + step
            for step in STEPS
            if hmac.compare_digest(totp.generate_otp(present + step).encode(), typed)
        ]
        return next((step for step in right if step > after), None)


def _locked(tries: Mapping[str, Any], now: datetime) -> Proof | None:
    until = tries.get("locked_until_ms")
    if until is None or now >= from_ms(int(until)):
        return None
    minutes = -((now - from_ms(int(until))) // timedelta(minutes=1))  # rounded up
    return Proof("factor.locked", {"minutes": str(minutes)})


def _count(tx: Transaction, tries: Mapping[str, Any], now: datetime) -> Proof:
    wrong = int(tries.get("wrong", 0)) + 1
    if wrong < ATTEMPTS:
        tx.documents.put(_TRIES, {**_fresh(tries), "wrong": wrong})
        return Proof("factor.wrong", {"left": str(ATTEMPTS - wrong)})
    tx.documents.put(_TRIES, {**_fresh(tries), "locked_until_ms": to_ms(now + LOCK)})
    return Proof("factor.locked", {"minutes": str(LOCK // timedelta(minutes=1))})


def _fresh(tries: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stays when the count begins anew: the last code that counted."""
    return {name: tries[name] for name in ("step",) if name in tries}


def _is_same(kept: Mapping[str, Any], hashed: str | None) -> bool:
    return hashed is not None and hmac.compare_digest(str(kept["hash"]), hashed)


def _hash(pin: str, salt: bytes) -> str:
    plain = pin.encode("utf-8", "replace")
    return hashlib.scrypt(plain, salt=salt, n=2**14, r=8, p=1).hex()
