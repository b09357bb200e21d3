"""The refusals of the pretend Telegram, in the words of the real one."""

from __future__ import annotations

from market.errors import TicktalkError

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
OTHER_POLLER = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance "
    "is running"
)


class RefusalError(TicktalkError):
    """An answer with `ok: false`: the HTTP status, the description, and response parameters."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def as_json(self) -> dict[str, object]:
        """Return the body of the answer."""
        body: dict[str, object] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.parameters:
            body["parameters"] = dict(self.parameters)
        return body


def bad_request(description: str) -> RefusalError:
    """Return a 400."""
    return RefusalError(400, f"Bad Request: {description}")


def too_many(retry_after: int) -> RefusalError:
    """Return a 429 that asks to wait for whole seconds."""
    description = f"Too Many Requests: retry after {retry_after}"
    return RefusalError(429, description, retry_after=retry_after)


def blocked() -> RefusalError:
    """Return the 403 of a person who stopped the bot."""
    return RefusalError(403, "Forbidden: bot was blocked by the user")
