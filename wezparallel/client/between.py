"""What a pane shows and offers while its program does not run: one living line, kept true by asking the hub.

The hub may be away: then the line says so, and goes on to offer what it can. Nothing here waits: viewer.py, which
stands above, waits for the descriptor and the time that this names. Below are asking.py (the hub), ended.py (words).
"""

from __future__ import annotations

import os
import time

from wezparallel.client import ended, terminal
from wezparallel.client.asking import Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject

ASK_S = 2.0  # in which the hub answers what it knows
DO_S = 20.0  # in which it starts or stops something
SOON_S = 0.1  # until it is asked again when it had not heard yet of what we know; doubles
LATE_S = 5.0  # until it is asked again while a start is due: somebody else may have cancelled it
MOST_S = 10.0  # between two tries while it is away
QUIET_S = 0.3  # in which a process that was just asked for starts, so that nothing need be said
CLOSE, LOGS, SHELL = "close", "logs", "shell"
OTHERS = {"l": LOGS, "s": SHELL, "\r": CLOSE, "\n": CLOSE, "q": CLOSE, "\x04": CLOSE}
OVER = frozenset(("exited", "failed", "stopped", "not_started"))


class Between:
    """The time between two runs of one process, at one terminal."""

    def __init__(self, process_id: str, exit_: JsonObject | None, *, read_only: bool) -> None:
        """`exit_` tells how the last run ended; None before the first."""
        self._process_id = process_id
        self._name = process_id.rpartition("/")[2]
        self._exit = exit_
        self._read_only = read_only
        self._record: JsonObject = {}
        """The process as the hub told it, once it has heard what we have."""
        self._due = 0.0
        """When the next run starts, by our clock; 0 if none is due or nobody knows."""
        self._away = False
        self._doing = ""
        """What the hub was asked to do: a word for the line."""
        self._question: Question | None = None
        self._asked: JsonObject = {}
        self._again = time.monotonic()
        self._pause = SOON_S
        self._draw_from = self._again if exit_ is not None else self._again + QUIET_S
        self._drawn = ""
        self._on_line = False

    # Waiting

    def fileno(self) -> int:
        """Return the descriptor to wait on; -1 while nothing was asked."""
        return self._question.fileno() if self._question is not None else -1

    def timeout_s(self) -> float | None:
        """Return the time after which `turn` has something to do; None while nothing is due."""
        now = time.monotonic()
        times = []
        if self._draw_from > now:
            times.append(self._draw_from - now)
        if self._question is not None:
            times.append(self._question.left_s)
        elif self._again:
            times.append(max(0.0, self._again - now))
        if self._due > now:
            times.append((self._due - now) % 1.0 + 0.001)  # the figure of seconds changes then
        return min(times) if times else None

    def turn(self) -> None:
        """Take what the hub said, ask what is to be asked, and keep the line true."""
        if self._question is not None:
            reply = self._question.take()
            if reply is not None:
                self._question.close()
                self._question = None
                self._take(reply)
        if self._question is None and self._again and time.monotonic() >= self._again:
            self._ask({"ProcessGet": {"process": self._process_id}}, ASK_S)
        if time.monotonic() >= self._draw_from:
            self.draw()

    def close(self) -> None:
        """Stop asking."""
        if self._question is not None:
            self._question.close()
            self._question = None
        self._again = self._due = 0.0

    @property
    def is_drawn(self) -> bool:
        """Tell whether there is a line that offers keys."""
        return self._on_line

    # What a person asks for

    def press(self, typed: bytes) -> str:
        """Do what keys ask for; return what others have to do: CLOSE, LOGS, SHELL or nothing."""
        if typed.startswith(b"\x1b"):
            return ""  # an arrow, or another key that sends more than a character
        if not typed:
            return CLOSE
        for key in typed.decode("utf-8", "replace"):
            if key in OTHERS:
                return OTHERS[key]
            if key == "r":
                self.restart()
            elif key == "c":
                self.cancel()
        return ""

    def restart(self) -> None:
        """Have it started now."""
        self._do("ProcessRestart", "starting")

    def cancel(self) -> None:
        """Have it not started by itself."""
        if self._record.get("state") == "backoff":
            self._do("ProcessStop", "cancelling")

    @property
    def folder(self) -> str:
        """Where the process starts, as far as the hub has told."""
        return str(self._record.get("cwd") or "")

    def _do(self, command: str, word: str) -> None:
        if self._read_only or self._doing:
            return
        self.close()
        self._doing = word
        self._ask({command: {"process": self._process_id, "key": os.urandom(8).hex()}}, DO_S)
        self.draw()

    def _ask(self, request: JsonObject, patience_s: float) -> None:
        self._asked = request
        self._again = 0.0
        self._question = Question(request, patience_s)

    def _take(self, reply: JsonObject) -> None:
        now = time.monotonic()
        error = reply.get("Error")
        doing, self._doing = self._doing, ""
        self._away = error is not None and error.get("code") == "hub.restarting"
        self._pause = min(self._pause * 2, MOST_S)
        self._again = now + self._pause
        if self._away:
            return  # a key that did nothing is pressed again, by who still wants it
        if error is not None:
            self._again = 0.0
            if doing:
                self.say(str(error.get("message", "")))
            return
        if doing:
            self._pause = SOON_S
            self._again = now + SOON_S
            return
        self._understand(next(iter(reply.values())).get("process", {}), now)

    def _understand(self, record: JsonObject, now: float) -> None:
        """Take in the process as the hub sees it, if it has heard of the end that we show."""
        state = record.get("state")
        ours = self._exit is None or self._exit.get("run_id") in {None, record.get("run_id")}
        if not ours or state not in OVER | {"backoff"}:
            self._record = {**record, "state": "starting" if not ours else ""}
            return
        self._record = record
        self._pause = SOON_S
        self._due = self._again = 0.0
        if state == "backoff":
            left = _seconds_until(record.get("next_start_at"), time.time())
            self._due = now + left
            self._again = now + min(left + SOON_S, LATE_S)

    # The line

    def draw(self) -> None:
        """Draw the line over the one before, and leave the cursor in it."""
        self._draw_from = 0.0
        columns = terminal.window_size()[1]
        said = self._said(counts=True)
        if len(said) + 4 > columns:
            said = self._said(counts=False)
        text = ended.line(said, self._keys(), columns, failed=self._failed)
        if text == self._drawn:
            return
        terminal.write_all(f"{'' if self._on_line else chr(10)}\r\x1b[2K{text}".replace("\n", "\r\n").encode())
        self._drawn = text
        self._on_line = True

    def redraw(self) -> None:
        """Draw the line again, after the window changed or somebody else wrote here."""
        self._drawn = ""
        if not self._draw_from:
            self.draw()

    def leave(self) -> None:
        """Leave a record of the end behind, without what could have been done, and go to a new line."""
        if not self._on_line:
            return
        if self._exit is not None:
            columns = terminal.window_size()[1]
            text = ended.line(self._ended(duration=True), [], columns, failed=self._failed)
            terminal.write_all(f"\r\x1b[2K{text}\r\n".encode())
        else:
            terminal.write_all(b"\r\x1b[2K")
        self._on_line = False
        self._drawn = ""

    def say(self, text: str) -> None:
        """Say something above the line."""
        if self._on_line:
            terminal.write_all(b"\r\x1b[2K")
        terminal.write_all(f"{text}\r\n".encode())
        self._drawn = ""
        self._on_line = True

    @property
    def _failed(self) -> bool:
        if self._exit is None:
            return self._record.get("state") == "failed"
        return ended.failed(self._exit)

    def _ended(self, *, duration: bool) -> str:
        if self._exit is None:
            return f"{self._name} has not started yet"
        return f"{self._name} {ended.how(self._exit, duration=duration)}"

    def _said(self, *, counts: bool) -> str:
        state = self._record.get("state")
        if self._doing:
            said = f"{self._ended(duration=False)}, {self._doing}"
        elif state == "backoff" and self._due:
            left = max(0, round(self._due - time.monotonic()))
            when = f"again in {left} s" if left else "again now"
            count = f" ({self._record.get('tries')} of {self._record.get('max_tries')})" if counts else ""
            said = f"{self._ended(duration=False)}, {when}{count}"
        elif state == "failed" and self._record.get("reason"):
            said = f"{self._name}: {self._record['reason']}"
        elif state == "starting":
            said = f"{self._ended(duration=False)}, starting"
        elif self._exit is None and state != "stopped":
            said = f"{self._ended(duration=False)}; waiting for it"
        else:
            said = self._ended(duration=True)
        return f"{said}, daemon away" if self._away else said

    def _keys(self) -> list[str]:
        keys = ["l logs", "s shell here", "Enter close"]
        if self._read_only:
            return keys
        waits = self._record.get("state") == "backoff"
        return ["r start now", "c cancel", *keys] if waits else [f"r {'re' if self._exit else ''}start", *keys]


def _seconds_until(moment: object, now: float) -> float:
    """Return the seconds until a moment in RFC 3339 and UTC, as the hub writes it; 0 for what is none."""
    text = str(moment)
    try:
        year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
        seconds = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + float(text[17:].rstrip("Z"))
    except ValueError:
        return 0.0
    # Days since the epoch: years begin in March here, so that a leap day is the last.
    year -= month < 3
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719469
    return max(0.0, days * 86400 + seconds - now)
