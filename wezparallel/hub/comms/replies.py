"""Replies as they travel, and what is wrong with a request's fields. Above: dispatch."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.protocol.process import NAME_PATTERN, NAME_RULE
from wezparallel.wire.envelope import Request, reply_line
from wezparallel.wire.lines import MAX_LINE

if TYPE_CHECKING:
    from pydantic import ValidationError

    from wezparallel.protocol.command import Command, Reply

MAX_BODY = MAX_LINE - 4096  # bytes of a reply without its id, which is its asker's


def to_line(reply: Reply, request: Request) -> bytes:
    """Return a reply as it travels; one that is too long becomes an error that says so."""
    try:
        body = to_body(reply)
    except RequestError as error:
        return reply_line("Error", error.to_json(), request)
    return body + (b',"id":' + json.dumps(request.id).encode() + b"}\n" if request.has_id else b"}\n")


def to_body(reply: Reply) -> bytes:
    """Return a reply without its end, where the id stands. Raises RequestError `wire.too_long`."""
    body = _head(reply.TAG) + reply.__pydantic_serializer__.to_json(reply)
    if len(body) > MAX_BODY:
        raise RequestError("wire.too_long", "the reply would be over 1 MiB; ask for a smaller page with `limit`")
    return body


@cache
def _head(tag: str) -> bytes:
    return b'{"' + tag.encode() + b'":'


def bad_fields(name: str, model: type[Command[Reply]], error: ValidationError) -> RequestError:
    """Return what is to be said of the first field that is wrong."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    known = sorted(model.model_fields)
    if first["type"] == "extra_forbidden":
        return RequestError(
            "command.unknown_field",
            f"{name} has no field {field!r}; it has {', '.join(known) or 'none'}",
            field=field,
        )
    is_name = first["type"] == "string_pattern_mismatch" and first["ctx"]["pattern"] == NAME_PATTERN
    said = NAME_RULE if is_name else first["msg"]
    return RequestError("command.bad_value", f"{name}.{field}: {said}", field=field, known=known)
