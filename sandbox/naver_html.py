"""The markup of Naver's older pages: tables with spacer rows, arrows, pagers, in EUC-KR."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROWS_BETWEEN_LINES = 5
_HEAD = '<head><meta http-equiv="Content-Type" content="text/html; charset=euc-kr">'
_TITLE = "<title>네이버페이 증권</title></head>"


def page(*parts: str) -> Response:
    """Return a whole page; what EUC-KR cannot write becomes a question mark."""
    text = f'<html lang="ko">\n{_HEAD}\n{_TITLE}\n<body>\n{"".join(parts)}</body></html>\n'
    body = text.encode("cp949", errors="replace")
    return Response(body, headers={"Content-Type": "text/html;charset=EUC-KR"})


def table(
    css: str, heads: Iterable[str], rows: Sequence[Sequence[str]], columns: int, caption: str = ""
) -> str:
    """Return a table whose rows come in groups of five with spacers and a line in between."""
    spacer = f'<tr><td colspan="{columns}" height="8"></td></tr>\n'
    line = f'<tr><td colspan="{columns}" height="1" bgcolor="#e1e1e1"></td></tr>\n'
    groups = [rows[at : at + ROWS_BETWEEN_LINES] for at in range(0, len(rows), ROWS_BETWEEN_LINES)]
    body = f"{spacer}{line}{spacer}".join("".join(map(_row, group)) for group in groups)
    named = f"<caption>{caption}</caption>\n" if caption else ""
    head = "".join(f"<th>{one}</th>" for one in heads)
    return (
        f'<table cellspacing="0" class="{css}" summary="{caption}">\n{named}<tr>{head}</tr>\n'
        f"{spacer}{body}{spacer}</table>\n"
    )


def number(text: str) -> str:
    """Return a cell with a number."""
    return f'<td class="num"><span class="tah p11">{text}</span></td>'


def label(text: str) -> str:
    """Return a cell with a time or a day."""
    return f'<td align="center"><span class="tah p10 gray03">{text}</span></td>'


def change(amount: float) -> str:
    """Return a cell with a change: the number has no sign, the arrow before it tells it."""
    if not amount:
        return number("0")
    css, words, colour = ("bu_pup", "상승", "red02") if amount > 0 else ("bu_pdn", "하락", "nv01")
    arrow = f'<em class="bu_p {css}"><span class="blind">{words}</span></em>'
    shown = f'<span class="tah p11 {colour}">\n\t\t\t\t{abs(amount):,.0f}\n\t\t\t\t</span>'
    return f'<td class="num">{arrow}{shown}</td>'


def link(code: str, name: str) -> str:
    """Return a link to an instrument's page."""
    shown = escape(name)
    return f'<a href="/item/main.naver?code={code}" class="tltle" title=\'{shown}\'>{shown}</a>'


def pager(path: str, at: int, last: int) -> str:
    """Return the links to other pages; that to the last one is missing on it."""
    near = range(max(1, at - 4), min(last, at + 5) + 1)
    links = [
        f'<td{" class=on" if one == at else ""}><a href="{path}&amp;page={one}">{one}</a></td>'
        for one in near
    ]
    if at < last:
        links.append(f'<td class="pgRR"><a href="{path}&amp;page={last}">맨뒤</a></td>')
    return f'<table class="Nnavi" align="center"><tr>{"".join(links)}</tr></table>\n'


def _row(cells: Sequence[str]) -> str:
    return f'<tr onmouseover="mouseOver(this)">\n{"".join(cells)}\n</tr>\n'
