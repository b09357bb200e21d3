"""/pause: hold orders back, of everything or of a part, for a while or until /resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import command
from bot.pause_words import condition_names, read_pause
from bot.render_trading import pause_lines
from bot.reply import Reply, command_button
from market.messages import Role

if TYPE_CHECKING:
    from bot.command import Call
    from bot.services import Services


@command(
    "pause",
    Role.TRADER,
    is_private=True,
    examples=("", "KRX buys 30m", "005930", "volume-breakout until 15:00", "삼성전자 매도 30분"),
)
async def pause(services: Services, call: Call) -> Reply:
    """Stop buying, or what the words say."""
    now = services.market_clock.now()
    names = condition_names(services.config)
    words = read_pause(call.args, services.directory, names, now)
    trading = await services.desk.pause(call.user.id, words.of_pause, words.until)
    texts, language = services.texts, call.language
    lines = [texts.get("pause.done", language)]
    lines += pause_lines(texts, language, trading, services.directory)
    label = texts.plain("button.resume", language)
    return Reply("\n".join(lines), ((command_button(label, "/resume"),),))
