"""The messages of KIS's websocket that every user of it needs: what we ask for, what it answers.

Requests and their acknowledgements are JSON (KIS Developers, 2026-07).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from market.errors import SourceChanged
from venues.polite_http import fragment

PING = "PINGPONG"
SETTLED = frozenset({"OPSP0000", "OPSP0001", "OPSP0002", "OPSP0003"})
"""Subscribed and unsubscribed, now or already."""
IN_USE = "OPSP8996"
"""Another session uses the app key."""
UNKNOWN_KEY = "OPSP0011"
"""The approval key is not, or no longer, known."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that is no data: `code` is KIS's (OPSP0000: subscribed), or PINGPONG.

    `subject` is what was asked for: an instrument's code, or who the fills are told to. What is
    told encrypted is read with `iv` and `key`.
    """

    code: str
    subject: str
    text: str
    tr_id: str = ""
    iv: str = field(default="", repr=False)
    key: str = field(default="", repr=False)


def request(approval: str, tr_id: str, subject: str, kind: str) -> str:
    """Return the message that begins (kind 1) or ends (kind 2) what is told of one subject."""
    header = {
        "approval_key": approval,
        "custtype": "P",
        "tr_type": kind,
        "content-type": "utf-8",
    }
    body = {"input": {"tr_id": tr_id, "tr_key": subject}}
    return orjson.dumps({"header": header, "body": body}).decode()


def parse_notice(message: str) -> Notice:
    """Return what a JSON message says."""
    try:
        fields = orjson.loads(message)
        header = fields["header"]
        if header["tr_id"] == PING:
            return Notice(PING, "", "")
        body = fields["body"]
        output = body.get("output") or {}
        return Notice(
            code=str(body["msg_cd"]),
            subject=str(header.get("tr_key", "")),
            text=str(body.get("msg1", "")).strip(),
            tr_id=str(header["tr_id"]),
            iv=str(output.get("iv", "")),
            key=str(output.get("key", "")),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise SourceChanged(f"kis socket: expected a notice, got {fragment(message)}") from error
