"""Answers as a broken network or a redesign might leave them: the same bytes, mutilated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

SCRAPS = [b"", b"<", b">", b"&#0;", b"<td>", b"</table>", b"<!--", b'"', b"null", b"-", b"1e999"]
SCRAPS += [b"\xff", b"\x00", b"99999999999999999999", b"2026.13.45", b"{", b"[", b"<em>", b"%"]


@st.composite
def mutilated(draw: st.DrawFn, body: bytes) -> bytes:
    """Return the body after up to four cuts, repetitions and insertions."""
    for _ in range(draw(st.integers(1, 4))):
        first = draw(st.integers(0, len(body)))
        last = draw(st.integers(first, min(len(body), first + 60)))
        change = draw(st.sampled_from(CHANGES))
        body = change(body, first, last, draw(st.sampled_from(SCRAPS)))
    return body


def _cut(body: bytes, first: int, last: int, scrap: bytes) -> bytes:
    return body[:first] + body[last:]


def _repeat(body: bytes, first: int, last: int, scrap: bytes) -> bytes:
    return body[:last] + body[first:]


def _replace(body: bytes, first: int, last: int, scrap: bytes) -> bytes:
    return body[:first] + scrap + body[last:]


def _insert(body: bytes, first: int, last: int, scrap: bytes) -> bytes:
    return body[:first] + scrap + body[first:]


CHANGES: list[Callable[[bytes, int, int, bytes], bytes]] = [_cut, _repeat, _replace, _insert]
