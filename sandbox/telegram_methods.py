"""The methods of the Bot API that a bot calls, except getUpdates: each returns its `result`.

As https://core.telegram.org/bots/api documents them (Bot API 10.1, 2026-06-11).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from sandbox.telegram_commands import parse_commands, scope_name
from sandbox.telegram_content import read_buttons, read_caption, read_photo, read_text
from sandbox.telegram_errors import NOT_MODIFIED, bad_request
from sandbox.telegram_types import CallbackAnswer, ChatKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram_core import TelegramCore
    from sandbox.telegram_parameters import Parameters
    from sandbox.telegram_types import ChatMessage, Json

    Method: TypeAlias = Callable[[TelegramCore, Parameters], Any]

LONGEST_ANSWER = 200


def get_me(core: TelegramCore, _parameters: Parameters) -> Json:
    """Return the bot."""
    return core.bot.as_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def send_message(core: TelegramCore, parameters: Parameters) -> Json:
    """Send a text."""
    chat = core.open_chat(parameters.text("chat_id"))
    text, entities = read_text(parameters)
    buttons = read_buttons(parameters)
    core.write(chat)
    is_silent = parameters.flag("disable_notification")
    return core.bot_sends(chat, text, entities, buttons=buttons, is_silent=is_silent).as_json()


def send_photo(core: TelegramCore, parameters: Parameters) -> Json:
    """Send an uploaded picture, or one that is known by its file id, with a caption."""
    chat = core.open_chat(parameters.text("chat_id"))
    caption, entities = read_caption(parameters)
    buttons = read_buttons(parameters)
    photo = read_photo(core, parameters, "photo")
    core.write(chat)
    is_silent = parameters.flag("disable_notification")
    return core.bot_sends(
        chat, caption, entities, buttons=buttons, photo=photo, is_silent=is_silent
    ).as_json()


def edit_message_text(core: TelegramCore, parameters: Parameters) -> Json:
    """Change the text of a message."""
    old = _to_edit(core, parameters)
    if old.photo is not None:
        raise bad_request("there is no text in the message to edit")
    text, entities = read_text(parameters)
    return _edited(
        core, old, replace(old, text=text, entities=entities, buttons=read_buttons(parameters))
    )


def edit_message_caption(core: TelegramCore, parameters: Parameters) -> Json:
    """Change the caption of a picture."""
    old = _to_edit(core, parameters)
    if old.photo is None:
        raise bad_request("there is no caption in the message to edit")
    text, entities = read_caption(parameters)
    return _edited(
        core, old, replace(old, text=text, entities=entities, buttons=read_buttons(parameters))
    )


def edit_message_reply_markup(core: TelegramCore, parameters: Parameters) -> Json:
    """Change the buttons of a message."""
    old = _to_edit(core, parameters)
    return _edited(core, old, replace(old, buttons=read_buttons(parameters)))


def edit_message_media(core: TelegramCore, parameters: Parameters) -> Json:
    """Change the picture of a message, or give a text message one."""
    old = _to_edit(core, parameters)
    media = parameters.parsed("media")
    if not isinstance(media, dict) or media.get("type") != "photo":
        raise bad_request("can't parse InputMedia: only a photo can be shown here")
    inside = replace(parameters, values=media)
    text, entities = read_caption(inside)
    buttons = read_buttons(parameters)
    photo = read_photo(core, inside, "media")
    return _edited(
        core, old, replace(old, text=text, entities=entities, buttons=buttons, photo=photo)
    )


def delete_message(core: TelegramCore, parameters: Parameters) -> bool:
    """Take a message away."""
    chat = core.open_chat(parameters.text("chat_id"))
    message = core.message(chat.id, parameters.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    core.bot_deletes(message)
    return True


def answer_callback_query(core: TelegramCore, parameters: Parameters) -> bool:
    """Show the person who tapped a notice, and end the spinner on the button."""
    text = parameters.text("text")
    if len(text) > LONGEST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    answer = CallbackAnswer(text, parameters.flag("show_alert"), parameters.text("url"))
    core.bot_answers(parameters.text("callback_query_id"), answer)
    return True


def set_my_commands(core: TelegramCore, parameters: Parameters) -> bool:
    """Store a command menu."""
    commands = parse_commands(parameters.parsed("commands"))
    core.commands.put(
        scope_name(parameters.parsed("scope")), parameters.text("language_code"), commands
    )
    core.changes.note("commands")
    return True


def get_my_commands(core: TelegramCore, parameters: Parameters) -> list[Json]:
    """Return a command menu."""
    scope = scope_name(parameters.parsed("scope"))
    menu = core.commands.get(scope, parameters.text("language_code"))
    return [command.as_json() for command in menu]


def delete_my_commands(core: TelegramCore, parameters: Parameters) -> bool:
    """Take a command menu away."""
    scope = scope_name(parameters.parsed("scope"))
    core.commands.put(scope, parameters.text("language_code"), ())
    core.changes.note("commands")
    return True


def delete_webhook(core: TelegramCore, parameters: Parameters) -> bool:
    """Say yes: there is never a webhook here; updates are dropped where that is asked."""
    if parameters.flag("drop_pending_updates"):
        core.updates.drop()
    return True


def get_webhook_info(core: TelegramCore, _parameters: Parameters) -> Json:
    """Return that there is no webhook, and how many updates wait."""
    waiting = len(core.pending_updates())
    return {"url": "", "has_custom_certificate": False, "pending_update_count": waiting}


def get_file(core: TelegramCore, parameters: Parameters) -> Json:
    """Return where a picture can be fetched."""
    photo = core.photo(parameters.text("file_id"))
    if photo is None:
        raise bad_request("invalid file_id")
    file = photo.as_json()
    del file["width"], file["height"]
    return file | {"file_path": photo.path}


def send_chat_action(core: TelegramCore, parameters: Parameters) -> bool:
    """Show that the bot is typing."""
    chat = core.open_chat(parameters.text("chat_id"))
    if not parameters.text("action"):
        raise bad_request("wrong parameter action in request")
    core.changes.note("action", chat_id=chat.id)
    return True


def get_chat(core: TelegramCore, parameters: Parameters) -> Json:
    """Return a chat with the fields that every ChatFullInfo must have."""
    chat = core.open_chat(parameters.text("chat_id"))
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
    accepted = dict.fromkeys((*gifts, "gifts_from_channels"), False)
    return chat.as_json() | {
        "accent_color_id": abs(chat.id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": accepted,
    }


def _to_edit(core: TelegramCore, parameters: Parameters) -> ChatMessage:
    chat = core.open_chat(parameters.text("chat_id"))
    message_id = parameters.integer("message_id")
    if not message_id:
        raise bad_request("message identifier is not specified")
    message = core.message(chat.id, message_id)
    if message is None:
        raise bad_request("message to edit not found")
    is_ours = message.sender == core.bot or chat.kind is ChatKind.CHANNEL
    if not is_ours:
        raise bad_request("message can't be edited")
    return message


def _edited(core: TelegramCore, old: ChatMessage, new: ChatMessage) -> Json:
    if new == old:
        raise bad_request(NOT_MODIFIED)
    core.write(old.chat)
    # Telegram does not show "edited" where only the buttons changed
    is_content = replace(new, buttons=old.buttons) != old
    edited_at = core.now() if is_content else old.edited_at
    return core.bot_edits(replace(new, edited_at=edited_at)).as_json()


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "editMessageMedia": edit_message_media,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getFile": get_file,
    "sendChatAction": send_chat_action,
    "getChat": get_chat,
}
"""By the name in the Bot API."""
