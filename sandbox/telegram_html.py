"""Telegram's HTML parse mode: markup to text and entities, with the real one's complaints.

The rules are those of https://core.telegram.org/bots/api#html-style and of tdlib's parser
(td/telegram/MessageEntity.cpp, read 2026-11); byte offsets count UTF-8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sandbox.telegram_errors import RefusalError, bad_request
from sandbox.telegram_types import Entity

KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
}

_REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_NAME = re.compile(r"[^\s>]*")
_SPACE = re.compile(r"\s*")
_ATTRIBUTE = re.compile(r"[^\s=>]*")
_TOKEN = re.compile(r"[A-Za-z0-9.\-]*")
_PLAIN = re.compile(r"[^<&]+")
_COMMAND = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,})?(?![\w/])")
_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


def utf16_length(text: str) -> int:
    """Return how many UTF-16 units a text has: an emoji counts two."""
    return len(text.encode("utf-16-le")) // 2


def parse_html(markup: str) -> tuple[str, tuple[Entity, ...]]:
    """Return the text and its entities; RefusalError where Telegram cannot parse it."""
    return _Parser(markup).run()


def strip(text: str, entities: tuple[Entity, ...]) -> tuple[str, tuple[Entity, ...]]:
    """Cut white space from both ends, as Telegram does with every message."""
    stripped = text.strip()
    lead = utf16_length(text) - utf16_length(text.lstrip())
    end = utf16_length(stripped)
    kept = []
    for entity in entities:
        start = max(entity.offset - lead, 0)
        length = min(entity.offset + entity.length - lead, end) - start
        if length > 0:
            kept.append(replace(entity, offset=start, length=length))
    return stripped, tuple(kept)


def detect(text: str, entities: tuple[Entity, ...] = ()) -> tuple[Entity, ...]:
    """Add the entities Telegram finds by itself: commands and addresses, outside code and links."""
    found = list(entities)
    taken = [e for e in entities if e.kind in {"code", "pre", "text_link", "url"}]
    for kind, pattern in (("url", _ADDRESS), ("bot_command", _COMMAND)):
        for match in pattern.finditer(text):
            entity = Entity(kind, utf16_length(text[: match.start()]), utf16_length(match[0]))
            if not any(_overlap(entity, other) for other in taken):
                found.append(entity)
                taken.append(entity)
    return _ordered(found)


def _overlap(one: Entity, other: Entity) -> bool:
    return one.offset < other.offset + other.length and other.offset < one.offset + one.length


def _ordered(entities: list[Entity]) -> tuple[Entity, ...]:
    return tuple(sorted(entities, key=lambda entity: (entity.offset, -entity.length)))


def _cannot(reason: str) -> RefusalError:
    return bad_request(f"can't parse entities: {reason}")


@dataclass(slots=True)
class _Open:
    tag: str
    offset: int
    piece: int
    attributes: dict[str, str]


class _Parser:
    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._at = 0
        self._pieces: list[str] = []
        self._length = 0
        self._open: list[_Open] = []
        self._entities: list[Entity] = []

    def run(self) -> tuple[str, tuple[Entity, ...]]:
        while self._at < len(self._markup):
            character = self._markup[self._at]
            if character == "&":
                self._say(self._reference())
            elif character != "<":
                self._say(self._skip(_PLAIN))
            elif self._markup.startswith("</", self._at):
                self._end_tag()
            else:
                self._start_tag()
        if self._open:
            raise _cannot(f'Can\'t find end tag corresponding to start tag "{self._open[-1].tag}"')
        return "".join(self._pieces), _ordered(_merge_code(self._entities))

    def _say(self, text: str) -> None:
        self._pieces.append(text)
        self._length += utf16_length(text)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._markup, self._at)
        found = match[0] if match else ""
        self._at += len(found)
        return found

    def _reference(self) -> str:
        match = _REFERENCE.match(self._markup, self._at)
        if match is not None:
            self._at = match.end()
            return _decoded(match)
        self._at += 1
        return "&"

    def _bytes(self, at: int) -> int:
        return len(self._markup[:at].encode())

    def _start_tag(self) -> None:
        begin = self._at
        self._at += 1
        tag = self._skip(_NAME).lower()
        if self._at == len(self._markup):
            raise _cannot(f"Unclosed start tag at byte offset {self._bytes(begin)}")
        if tag not in KINDS:
            raise _cannot(f'Unsupported start tag "{tag}" at byte offset {self._bytes(begin)}')
        attributes = self._attributes(tag, begin)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise _cannot(
                f'Tag "span" must have class "tg-spoiler" at byte offset {self._bytes(begin)}'
            )
        self._open.append(_Open(tag, self._length, len(self._pieces), attributes))

    def _attributes(self, tag: str, begin: int) -> dict[str, str]:
        attributes: dict[str, str] = {}
        while True:
            self._skip(_SPACE)
            if self._markup.startswith(">", self._at):
                self._at += 1
                return attributes
            if self._at == len(self._markup):
                raise _cannot(f'Unclosed start tag "{tag}" at byte offset {self._bytes(begin)}')
            name = self._skip(_ATTRIBUTE).lower()
            if not name:
                place = self._bytes(begin)
                raise _cannot(f'Empty attribute name in the tag "{tag}" at byte offset {place}')
            self._skip(_SPACE)
            attributes[name] = self._value(begin) if self._markup.startswith("=", self._at) else ""

    def _value(self, begin: int) -> str:
        self._at += 1
        self._skip(_SPACE)
        quote = self._markup[self._at : self._at + 1]
        if quote in {'"', "'"}:
            end = self._markup.find(quote, self._at + 1)
            if end < 0:
                raise _cannot(f"Unclosed start tag at byte offset {self._bytes(begin)}")
            value = self._markup[self._at + 1 : end]
            self._at = end + 1
            return _REFERENCE.sub(_decoded, value)
        token_at = self._at
        value = self._skip(_TOKEN).lower()
        after = self._markup[self._at : self._at + 1]
        if after and after != ">" and not after.isspace():
            place = self._bytes(token_at)
            raise _cannot(f"Unexpected end of name token at byte offset {place}")
        return value

    def _end_tag(self) -> None:
        begin = self._bytes(self._at)
        if not self._open:
            raise _cannot(f"Unexpected end tag at byte offset {begin}")
        self._at += 2
        name = self._skip(_NAME).lower()
        self._skip(_SPACE)
        if not self._markup.startswith(">", self._at):
            raise _cannot(f"Unclosed end tag at byte offset {begin}")
        self._at += 1
        opened = self._open.pop()
        if name and name != opened.tag:
            raise _cannot(
                f"Unmatched end tag at byte offset {begin}, "
                f'expected "</{opened.tag}>", found "</{name}>"'
            )
        self._close(opened)

    def _close(self, opened: _Open) -> None:
        length = self._length - opened.offset
        entity = Entity(KINDS[opened.tag], opened.offset, length)
        if opened.tag == "a":
            text = "".join(self._pieces[opened.piece :])
            entity = replace(entity, url=_address(opened.attributes.get("href") or text))
            if not entity.url:
                return
        if opened.tag == "blockquote" and "expandable" in opened.attributes:
            entity = replace(entity, kind="expandable_blockquote")
        if opened.tag == "code":
            written = opened.attributes.get("class", "")
            language = written.removeprefix("language-") if "language-" in written else ""
            entity = replace(entity, language=language)
        if length > 0:
            self._entities.append(entity)


def _decoded(match: re.Match[str]) -> str:
    name, decimal, hexadecimal = match.groups()
    if name:
        return _NAMED[name]
    number = int(decimal) if decimal else int(hexadecimal, 16)
    is_character = 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_character else match[0]


def _address(written: str) -> str:
    """Return a link target that Telegram accepts, or "" (then the text has no link)."""
    written = written.strip()
    if re.match(r"(?i)(https?|tg)://[^\s/]", written):
        return written
    is_host = re.fullmatch(r"[\w\-]+(\.[\w\-]+)+([/?#:]\S*)?", written)
    return f"http://{written}" if is_host else ""


def _merge_code(entities: list[Entity]) -> list[Entity]:
    """Let a language of code that fills its pre belong to the pre."""
    languages = {(e.offset, e.length): e.language for e in entities if e.kind == "code"}
    merged = []
    for entity in entities:
        language = languages.get((entity.offset, entity.length), "")
        if entity.kind == "pre":
            merged.append(replace(entity, language=language))
        elif entity.kind != "code" or not _fills_pre(entity, entities):
            merged.append(replace(entity, language=""))
    return merged


def _fills_pre(code: Entity, entities: list[Entity]) -> bool:
    place = (code.offset, code.length)
    return bool(code.language) and any(
        e.kind == "pre" and (e.offset, e.length) == place for e in entities
    )
