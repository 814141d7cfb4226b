"""The shape of requests, replies, errors and events on the public socket. Pure, standard library.

Externally tagged: `{"ProcessStart": {…}, "id": 7}`; `"Ping"`, `{"Ping": null}` and `{"Ping": {}}` are the same.
Which commands exist is not known here; see protocol/registry.py.
"""

from __future__ import annotations

import json

from wezparallel.errors import RequestError, WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from wezparallel.types import Json, JsonObject

    class Request(NamedTuple):
        name: str
        fields: JsonObject
        id: Json
        """None when the request carried none"""
        has_id: bool
else:
    from collections import namedtuple

    Request = namedtuple("Request", "name fields id has_id")

MAX_DEPTH = 64  # of nesting; no command needs more than six


def parse_request(line: bytes) -> Request:
    """Read one request. Raises WireError (not JSON, not UTF-8) or RequestError (JSON of another shape)."""
    value = parse_json(line)
    if isinstance(value, str):
        return Request(value, {}, None, False)
    if not isinstance(value, dict):
        raise RequestError("command.bad_value", 'a request is an object with one command, as {"Ping":{}}')
    has_id = "id" in value
    request_id = value.pop("id", None)
    if len(value) != 1:
        raise RequestError(
            "command.bad_value",
            f'a request names exactly one command beside "id"; this one names {len(value)}',
            id=request_id,
        )
    if b"\\ud" in line or b"\\uD" in line:
        _refuse_half_pairs(value, request_id)
    name, fields = next(iter(value.items()))
    if fields is None:
        fields = {}
    if not isinstance(fields, dict):
        raise RequestError("command.bad_value", f"the fields of {name} must be an object", id=request_id)
    return Request(name, fields, request_id, has_id)


def parse_json(line: bytes) -> Json:
    """Read one JSON value, at most MAX_DEPTH deep. Raises WireError."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise WireError(f"byte {error.start} is not UTF-8; send UTF-8", code="wire.not_utf8") from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        try:
            value, end = _scan(text, 0)  # a fifth of what `decode` takes for a short line
        except StopIteration:
            end = -1
        return value if end == len(text) else _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}; send one JSON value a line", code="wire.not_json") from None


def reply_line(name: str, body: Json, request: Request | None = None) -> bytes:
    """Return one reply as a line."""
    message: JsonObject = {name: body}
    if request is not None and request.has_id:
        message["id"] = request.id
    return dump(message)


def dump(value: Json) -> bytes:
    """Return one JSON value as a line, UTF-8."""
    return _encoder.encode(value).encode("utf-8", "replace") + b"\n"


def _refuse_half_pairs(value: JsonObject, request_id: Json) -> None:
    """Keep out what no reply could carry: one such word in a definition would break every list that shows it."""
    try:
        _encoder.encode(value).encode()
    except UnicodeEncodeError:
        raise RequestError(
            "command.bad_value", "half of a surrogate pair is no character; send both halves",
            id=dump(request_id).decode() if isinstance(request_id, str) else request_id,
        ) from None  # fmt: skip


def _check_depth(text: str) -> None:
    depth = 0
    in_string = False
    escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise WireError(f"JSON nested deeper than {MAX_DEPTH}; flatten it", code="wire.not_json")
        elif char in "]}":
            depth -= 1


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(f"{digits[:20]} is too large for a number")  # it would be answered as Infinity, no JSON
    return number


# json.loads and json.dumps make a new one at each call that has options: 9 µs a request.
_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_scan = _decoder.scan_once  # type: ignore[attr-defined]
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
