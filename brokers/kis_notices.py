"""Fills told by KIS's websocket (H0STCNI0, virtual H0STCNI9), encrypted with a session's key.

There is no id of a fill in them and the same may be told twice, so they are never taken for fills:
they only say that it is worth asking.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from market.errors import SourceChanged

WIDTHS = (26, 23)
"""Fields of a record, today and in older documents."""
_BLOCK_BITS = 128


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an order: a fill, or that it was taken, changed, cancelled or refused."""

    account: str
    number: str
    code: str
    is_fill: bool
    quantity: Decimal
    price: Decimal


def parse_told(message: str, tr_id: str, iv: str, key: str) -> list[Told]:
    """Return the events of a data frame; SourceChanged where it cannot be read.

    No part of it is shown in an error: it names the account's owner.
    """
    parts = message.split("|", 3)
    if len(parts) != 4 or parts[1] != tr_id or not parts[2].isdecimal():
        raise SourceChanged(f"kis {tr_id}: expected 1|{tr_id}|, got something else")
    text = decrypt(parts[3], iv, key, tr_id) if parts[0] == "1" else parts[3]
    count, fields = int(parts[2]), text.split("^")
    width = next((one for one in WIDTHS if count * one == len(fields)), None)
    if width is None or not count:
        raise SourceChanged(f"kis {tr_id}: {count} records have {len(fields)} fields")
    starts = range(0, len(fields), width)
    return [_told(fields[first : first + width], tr_id) for first in starts]


def decrypt(payload: str, iv: str, key: str, tr_id: str) -> str:
    """Return a text from base64 and AES-256-CBC with PKCS7."""
    try:
        sealed = base64.b64decode(payload, validate=True)
        cipher = Cipher(algorithms.AES(key.encode()), modes.CBC(iv.encode())).decryptor()
        padded = cipher.update(sealed) + cipher.finalize()
        unpadder = PKCS7(_BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except (binascii.Error, ValueError) as error:
        raise SourceChanged(f"kis {tr_id}: cannot be decrypted with the session's key") from error


def _told(fields: list[str], tr_id: str) -> Told:
    try:
        quantity, price = Decimal(fields[9] or "0"), Decimal(fields[10] or "0")
    except InvalidOperation as error:
        raise SourceChanged(f"kis {tr_id}: quantity and price are no numbers") from error
    return Told(
        account=fields[1],
        number=fields[2],
        code=fields[8],
        is_fill=fields[13] == "2",
        quantity=quantity,
        price=price,
    )
