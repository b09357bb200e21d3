"""What a message says, read from a call and held against Telegram's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.image_size import image_size
from sandbox.telegram_errors import bad_request
from sandbox.telegram_html import detect, parse_html, strip, utf16_length
from sandbox.telegram_types import Entity, InlineButton, Keyboard

if TYPE_CHECKING:
    from sandbox.telegram_core import TelegramCore
    from sandbox.telegram_parameters import Parameters
    from sandbox.telegram_types import Photo

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LONGEST_DATA_BYTES = 64
LARGEST_PHOTO_BYTES = 10_000_000


def read_text(parameters: Parameters) -> tuple[str, tuple[Entity, ...]]:
    """Return the text of a call: 1 to 4096 UTF-16 units after the markup is parsed."""
    text, entities = _formatted(parameters, "text", "entities")
    if not text:
        raise bad_request("message text is empty")
    if utf16_length(text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    return text, entities


def read_caption(parameters: Parameters) -> tuple[str, tuple[Entity, ...]]:
    """Return the caption of a call: 0 to 1024 UTF-16 units after the markup is parsed."""
    text, entities = _formatted(parameters, "caption", "caption_entities")
    if utf16_length(text) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    return text, entities


def read_buttons(parameters: Parameters) -> Keyboard:
    """Return the inline buttons of a call; other keyboards are accepted and not shown."""
    markup = parameters.parsed("reply_markup")
    if markup is None:
        return ()
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard", [])
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be of type Array of Arrays')
    return tuple(tuple(_button(item) for item in row) for row in rows if row)


def read_photo(core: TelegramCore, parameters: Parameters, name: str) -> Photo:
    """Return the picture of a call: an uploaded one is kept, a known one found by its file id.

    Addresses are refused: nothing here fetches from outside.
    """
    content = parameters.file(name)
    if content is None:
        return _known_photo(core, parameters.text(name))
    if not content:
        raise bad_request("file must be non-empty")
    if len(content) > LARGEST_PHOTO_BYTES:
        raise bad_request(f"file of size {len(content)} bytes is too big for a photo")
    size = image_size(content)
    if size is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if size.width + size.height > 10_000 or max(size.width, size.height) > 20 * min(
        size.width, size.height
    ):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return core.add_photo(content, size)


def _known_photo(core: TelegramCore, file_id: str) -> Photo:
    if not file_id:
        raise bad_request("there is no photo in the request")
    photo = core.photo(file_id)
    if photo is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return photo


def _formatted(
    parameters: Parameters, text_name: str, entities_name: str
) -> tuple[str, tuple[Entity, ...]]:
    text = parameters.text(text_name)
    mode = parameters.text("parse_mode").lower()
    if mode not in {"", "html"}:
        # Markdown is left out on purpose: ticktalk writes HTML only
        raise bad_request("unsupported parse_mode")
    if mode == "html":
        text, entities = parse_html(text)
    else:
        entities = _given_entities(parameters.parsed(entities_name))
    text, entities = strip(text, entities)
    return text, detect(text, entities)


def _given_entities(written: Any) -> tuple[Entity, ...]:
    if not isinstance(written, list):
        return ()
    try:
        return tuple(
            Entity(
                str(item["type"]),
                int(item["offset"]),
                int(item["length"]),
                str(item.get("url", "")),
                str(item.get("language", "")),
            )
            for item in written
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise bad_request("can't parse entities: expected an Array of MessageEntity") from error


def _button(item: Any) -> InlineButton:
    if not isinstance(item, dict) or not item.get("text"):
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be given')
    data, url = item.get("callback_data"), item.get("url")
    if url:
        return InlineButton(str(item["text"]), url=_button_address(str(url)))
    if data is None:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if not 1 <= len(str(data).encode()) <= LONGEST_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    return InlineButton(str(item["text"]), data=str(data))


def _button_address(url: str) -> str:
    if not url.startswith(("http://", "https://", "tg://")):
        raise bad_request("BUTTON_URL_INVALID")
    return url
