"""/resume: let orders be proposed and confirmed again, all of them or of a part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.pause_words import condition_names, read_scope
from bot.render_trading import pause_lines
from bot.reply import Reply, command_button
from engine.trading import TradingState
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command("resume", Role.TRADER, is_private=True, examples=("", "KRX", "005930"))
async def resume(services: Services, call: Call) -> Reply:
    """Trade again; only the owner ends a halt."""
    scope = read_scope(call.args, services.directory, condition_names(services.config))
    trading = await services.desk.resume(call.user.id, scope)
    texts, language = services.texts, call.language
    lines = [texts.get(f"resume.{trading.state}", language)]
    lines += pause_lines(texts, language, trading, services.directory)
    name = "pause" if trading.state is TradingState.ACTIVE else "resume"
    button = command_button(texts.plain(f"button.{name}", language), f"/{name}")
    return Reply("\n".join(lines), ((button,),))
