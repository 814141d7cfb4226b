"""A POST to a URL, with the standard library. Blocking: called in a thread of its own."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from wezparallel.integrations.notify.channels import AttemptError

if TYPE_CHECKING:
    from wezparallel.integrations.notify.rules import Message
    from wezparallel.types import JsonObject

_AGAIN = frozenset({408, 409, 423, 425, 429})
"""Answers below 500 after which another attempt may go better."""
_LONGEST_WAIT_S = 600.0


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a redirected POST would become a GET, and take its headers to another host."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Do not."""


def send(said: JsonObject, message: Message) -> None:
    """Post a message. Raises AttemptError."""
    body, kind = _body(str(said.get("format") or "json"), message)
    headers = {
        "Content-Type": kind, "User-Agent": "wezparallel", "Idempotency-Key": _printable(message.message_id),
        **_plain_headers(str(said.get("format")), message), **(said.get("headers") or {}),
    }  # fmt: skip
    try:
        request = urllib.request.Request(str(said["webhook"]), body, headers, method="POST")  # noqa: S310  http(s) only
        opener = urllib.request.build_opener(_Straight)
        with opener.open(request, timeout=float(said.get("timeout") or 10)) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        with error:
            again = error.code >= 500 or error.code in _AGAIN
            raise AttemptError(f"HTTP {error.code}", again=again, wait_s=_asked_wait(error)) from None
    except urllib.error.URLError as error:
        raise AttemptError(_why(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        # A sentence of http.client may hold the URL; only what kind of fault it is may be told.
        raise AttemptError(_why(error), again=not isinstance(error, ValueError)) from None


def payload(message: Message) -> JsonObject:
    """Return a message for programs."""
    return {
        "id": message.message_id, "rule": message.rule, "kind": message.kind, "title": message.title,
        "body": message.body, "text": f"{message.title}: {message.body}", "at": message.at, "event": message.event,
    }  # fmt: skip


def _body(form: str, message: Message) -> tuple[bytes, str]:
    text = f"{message.title}: {message.body}"
    if form == "text":
        return message.body.encode(), "text/plain; charset=utf-8"
    if form == "slack":
        said: JsonObject = {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
    elif form == "discord":
        said = {"content": text[:2000], "allowed_mentions": {"parse": []}}
    else:
        said = payload(message)
    return json.dumps(said, ensure_ascii=False).encode(), "application/json"


def _plain_headers(form: str, message: Message) -> dict[str, str]:
    """Return the title where the body has no place for it; ntfy and others read it there."""
    return {"Title": _printable(message.title)} if form == "text" else {}


def _printable(text: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in text)


def _asked_wait(error: urllib.error.HTTPError) -> float | None:
    said = (error.headers.get("Retry-After") or "").strip()
    return min(float(said), _LONGEST_WAIT_S) if said.isdigit() else None


def _why(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, ssl.SSLError):
        return f"TLS: {reason.reason or type(reason).__name__}"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__
