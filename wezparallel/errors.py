"""The one exception tree. Each error has a stable `code`, a sentence that says what to do next, and data.

    WezparallelError
    ├── RequestError            the caller's fault, or the state of things: becomes an `Error` reply as it is
    ├── WireError               bytes that are not ours: `wire.*`
    └── LinkError               a private link (hub, keeper, viewer) broke or was refused

Handlers raise; `hub/comms/dispatch.py` alone turns exceptions into replies. What is none of these is a bug.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject


class WezparallelError(Exception):
    """Base of all errors of ours.

    `code` is stable and dotted (`process.not_found`); `message` is one plain sentence that names the thing and
    says what to do next; `data` holds what a program would want to read out of the sentence.
    """

    code = "internal.bug"

    def __init__(self, message: str, *, code: str = "", data: JsonObject | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code
        self.data: JsonObject = data or {}

    def to_json(self) -> JsonObject:
        """Return the body of an `Error` reply."""
        return {"code": self.code, "message": self.message, "data": self.data}


class RequestError(WezparallelError):
    """A request that cannot be met; `code` is always given."""

    def __init__(self, code: str, message: str, **data: object) -> None:
        super().__init__(message, code=code, data=dict(data))


class WireError(WezparallelError):
    """Bytes that break a wire's rules."""

    code = "wire.not_json"


class LinkError(WezparallelError):
    """A private link broke, or the other side refused it."""

    code = "hub.restarting"
