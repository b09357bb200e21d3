"""The parameters of a Bot API call: from the query, JSON, a form or a multipart form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from sandbox.telegram_errors import bad_request

if TYPE_CHECKING:
    from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call carries; in a form every value is text, and lists and objects are JSON."""

    values: dict[str, Any]
    files: dict[str, bytes]

    def text(self, name: str) -> str:
        """Return a text, "" where it is not given."""
        value = self.values.get(name)
        if value is None:
            return ""
        text = value if isinstance(value, str) else json.dumps(value)
        try:
            text.encode()
        except UnicodeEncodeError as error:  # half of a surrogate pair
            raise bad_request("strings must be encoded in UTF-8") from error
        return text

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole number; one that cannot be read counts as not given, as in Telegram."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """Return a boolean; in forms it is "true", "True", "yes" or "1"."""
        return self.text(name).lower() in {"true", "yes", "1"}

    def parsed(self, name: str) -> Any:
        """Return a list or an object, None where it is not given."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise bad_request(f"can't parse {name} JSON object") from error

    def file(self, name: str) -> bytes | None:
        """Return an uploaded file: the field itself, or the one that `attach://` names."""
        if name in self.files:
            return self.files[name]
        return self.files.get(self.text(name).removeprefix("attach://"))


async def read_parameters(request: Request) -> Parameters:
    """Read query and body; RefusalError where the body is not what it says."""
    values: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return Parameters(values | _json_object(await request.body()), {})
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return await _form(request, values)
    return Parameters(values, {})


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(parsed, dict):
        raise bad_request("object expected as JSON")
    return parsed


async def _form(request: Request, values: dict[str, Any]) -> Parameters:
    files: dict[str, bytes] = {}
    try:
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files[name] = await value.read()
                else:
                    values[name] = value
    except HTTPException as error:
        raise bad_request("can't parse the form") from error
    return Parameters(values, files)
