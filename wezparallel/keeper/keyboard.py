"""From a viewer's keys to the program: the detach key is swallowed, nothing waits without a bound.

Of a viewer that does not lead only what a person typed passes, and gives it the lead (lead.py): what its terminal
answers and reports by itself (wire/reports.py) would reach the program a second time.
"""

from __future__ import annotations

import base64

from wezparallel.keeper import together
from wezparallel.keeper.detach_key import DetachKey
from wezparallel.wire import hello
from wezparallel.wire.reports import Reports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.loop import Loop, Timer
    from wezparallel.keeper.processes import Process
    from wezparallel.keeper.viewer import Viewer
    from wezparallel.types import JsonObject

STUCK_S = 0.02  # until input is tried again on a program that does not read
DETACH_S = 1.0  # between the presses of the detach key; after that, the first one was meant for the program
REPORT_S = 0.05  # in which a terminal brings the rest of a report; after that, it was the Escape key


class Keyboard:
    """What is typed at one viewer while it looks."""

    __slots__ = (
        "_changed",
        "_lead",
        "_loop",
        "_process",
        "_read_only",
        "_report_timer",
        "_reports",
        "_timer",
        "_viewer",
        "_waiting",
        "detach_key",
        "filter",
    )

    def __init__(self, loop: Loop, process: Process, viewer: Viewer, changed: Callable[[], None]) -> None:
        """`changed` is called when `stuck` may have become another."""
        self.detach_key = DetachKey(_detach_key(viewer.about))
        self.filter: Callable[[bytes], bytes] | None = None
        """Takes out what is not for the program (answers.py): it gets all that comes and returns the rest. Whoever
        sets it takes it away again as soon as it can, and then calls `let_through` with what it held."""
        self._loop = loop
        self._process = process
        self._lead = process.lead
        self._viewer = viewer
        self._read_only = bool(viewer.about.flags & hello.READ_ONLY)
        self._changed = changed
        self._reports: Reports | None = None
        """What looks at a viewer that does not lead; None as long as it has not typed in that state."""
        self._report_timer: Timer | None = None
        self._waiting = b""
        self._timer: Timer | None = None

    @property
    def stuck(self) -> bool:
        """Tell whether the program does not read, so that nothing should be read from the viewer either."""
        return bool(self._waiting)

    def typed(self, data: bytes) -> bool:
        """Pass keys on; return whether the detach key was among them."""
        if self.filter is not None:
            data = self.filter(data)
        return self.let_through(data)

    def let_through(self, data: bytes) -> bool:
        """Pass keys on that `filter` let through, at once or later; return whether the detach key was among them."""
        if self._reports is not None or self._lead.leader is not self._viewer:
            data = self._without_reports(data)
        return self._press(data)

    def close(self) -> None:
        """Forget what waits."""
        self._cancel()
        self._forget_reports()
        self.filter = None
        self._waiting = b""

    def carry(self) -> JsonObject:
        """Return what is held here, for the program after this one."""
        held = self.detach_key.pending + (self._reports.pending if self._reports is not None else b"")
        return {"waiting": _text(self._waiting), "held": _text(held)}

    def resume(self, carried: JsonObject) -> None:
        """Go on with what the program before this one held. What may be a report or the detach key goes on from its
        beginning, as if it came now."""
        waiting, held = base64.b64decode(carried["waiting"]), base64.b64decode(carried["held"])
        if waiting:
            self._pass(waiting)
        if held:
            self.let_through(held)  # `filter` holds what came after it

    def _press(self, data: bytes) -> bool:
        if self._timer is not None and not self._waiting:
            self._cancel()
        data, detached = self.detach_key.feed(data)
        self._send(data)
        if self.detach_key.held and not detached and not self._waiting:
            self._timer = self._loop.after(DETACH_S, self._release)
        return detached

    def _without_reports(self, data: bytes) -> bytes:
        """Return what a person typed at a viewer that does not lead; that gives it the lead."""
        if self._read_only:
            return data
        reports = self._reports or Reports()
        self._forget_reports()
        if self._lead.leader is self._viewer:
            return reports.release() + data  # it came to lead while something was held
        typed, _ = reports.split(data)
        if typed:
            self._lead.typed(self._viewer)
            return typed + reports.release()
        self._reports = reports
        if reports.held:
            self._report_timer = self._loop.after(REPORT_S, self._release_reports)
        return b""

    def _release_reports(self) -> None:
        """Nothing followed what might have become a report: a person typed it."""
        data = self._reports.release() if self._reports is not None else b""
        self._forget_reports()
        self._lead.typed(self._viewer)
        self._press(data)

    def _forget_reports(self) -> None:
        self._reports = None
        if self._report_timer is not None:
            self._report_timer.cancel()
            self._report_timer = None

    def _send(self, data: bytes) -> None:
        if self._process.together and not self._read_only:
            together.typed(self._process, data)
        self._pass(data)

    def _pass(self, data: bytes) -> None:
        run = self._process.run
        if not data or self._read_only or run is None or run.input_fd < 0:
            return
        self._process.answers.recent = b""
        self._process.calling.typed(data)
        if self._waiting:
            self._waiting += data  # the rest of one read
        elif not run.write(data):
            # The terminal's own buffer bounds what waits now.
            self._cancel()
            self._waiting = data
            self._timer = self._loop.after(STUCK_S, self._again)
            self._changed()

    def _again(self) -> None:
        data, self._waiting = self._waiting, b""
        self._timer = None
        self._pass(data)
        if not self._waiting:
            self._changed()

    def _release(self) -> None:
        self._timer = None
        self._send(self.detach_key.release())

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _detach_key(about: hello.Viewer) -> bytes:
    if about.flags & hello.INSIDE_WEZTERM or len(about.strings) < 8:
        return b""
    try:
        return bytes.fromhex(about.strings[7])
    except ValueError:
        return b""
