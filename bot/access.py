"""Who may use the bot: the first owner by a one-time code, everybody else by the owner's word."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from market.messages import Person, Role
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from market.store import Store, Transaction

CLAIM_KEY = "access/claim"
CLAIM_LIFETIME = timedelta(minutes=10)
CLAIM_ATTEMPTS = 5

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 8


class Access:
    """Keeps the people in the store; only a hash of the claim code is ever written down."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def has_owner(self) -> bool:
        """Return whether somebody has claimed the bot."""
        return await self._store.read(lambda tx: tx.people.owner()) is not None

    async def wants_code(self, now: datetime) -> bool:
        """Return whether nobody owns the bot and no code is alive with which to claim it."""

        def look(tx: Transaction) -> bool:
            if tx.people.owner() is not None:
                return False
            claim = tx.documents.get(CLAIM_KEY)
            return claim is None or not _is_alive(claim, now)

        return await self._store.read(look)

    async def new_code(self, now: datetime) -> str:
        """Return a fresh claim code; an older one is void from here on."""
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        claim = {
            "hash": _hash(code),
            "expires_ms": to_ms(now + CLAIM_LIFETIME),
            "attempts_left": CLAIM_ATTEMPTS,
        }
        await self._store.write(lambda tx: tx.documents.put(CLAIM_KEY, claim))
        return code

    async def claim(self, code: str, person: Person, now: datetime) -> str:
        """Try to become the owner; return the text key of what came of it.

        claim.done, claim.yours, claim.taken, claim.wrong, claim.dead.
        """

        def attempt(tx: Transaction) -> str:
            owner = tx.people.owner()
            if owner is not None:
                return "claim.yours" if owner.id == person.id else "claim.taken"
            claim = tx.documents.get(CLAIM_KEY)
            if claim is None or not _is_alive(claim, now):
                return "claim.dead"
            if not hmac.compare_digest(_hash(code), str(claim["hash"])):
                left = int(claim["attempts_left"]) - 1
                tx.documents.put(CLAIM_KEY, {**claim, "attempts_left": left})
                return "claim.wrong" if left > 0 else "claim.dead"
            tx.documents.delete(CLAIM_KEY)
            tx.people.put(Person(person.id, Role.OWNER, person.language, person.name), now)
            return "claim.done"

        return await self._store.write(attempt)

    async def allow(self, person: Person, now: datetime) -> bool:
        """Let somebody in, or change their role; False if that would touch the owner."""

        def put(tx: Transaction) -> bool:
            known = tx.people.get(person.id)
            if known is None:
                tx.people.put(person, now)
                return True
            if known.role is Role.OWNER:
                return False
            tx.people.put(Person(known.id, person.role, known.language, known.name), now)
            return True

        return await self._store.write(put)

    async def deny(self, user_id: int, now: datetime) -> bool | None:
        """Shut somebody out, also from what still waits to be sent to them.

        False if unknown, None if that is the owner.
        """

        def remove(tx: Transaction) -> bool | None:
            known = tx.people.get(user_id)
            if known is None:
                return False
            if known.role is Role.OWNER:
                return None
            tx.people.remove(user_id)
            tx.outbox.drop(user_id, "shut out", now)
            return True

        return await self._store.write(remove)


def _hash(code: str) -> str:
    plain = code.strip().upper().encode("utf-8", "replace")
    return hashlib.sha256(b"ticktalk claim " + plain).hexdigest()


def _is_alive(claim: dict[str, Any], now: datetime) -> bool:
    return int(claim["attempts_left"]) > 0 and now < from_ms(int(claim["expires_ms"]))
