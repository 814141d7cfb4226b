"""Whether a process that ended comes back, and when: policy, backoff, giving up. Pure.

Clock and chance are handed in. The delay doubles from `backoff_s` to 60 s, is spread by a fifth, and begins anew
after a run that lived 30 s. Ten restarts within ten minutes are enough, however long the runs lived; `GiveUp` may say
other figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wezparallel.protocol.process import Restart
from wezparallel.protocol.supervision import GiveUp

if TYPE_CHECKING:
    from wezparallel.types import Seconds

MOST_S = 60.0
JITTER = 0.2
USUAL = GiveUp()

# Signal numbers are those of Linux and macOS alike, and are written out because this module asks no operating system.
_SIGNALS = {
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 8: "SIGFPE", 9: "SIGKILL",
    11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exit:
    """How a run ended, or that it could not begin."""

    exit_code: int | None = None
    signal: int | None = None
    asked: bool = False
    """A stop or kill of ours."""
    ran_s: Seconds = 0.0
    refused: str | None = None
    """Why it could not be spawned: `logs/app.log does not exist`. Then there was no run."""
    unhealthy: str | None = None
    """What its probe met, if it was stopped for that: `http://localhost:80/ answers 500`."""

    def clean(self) -> bool:
        """Tell whether it ended well. An unknown end (both null) is not clean."""
        return self.refused is None and self.unhealthy is None and self.exit_code == 0 and self.signal is None

    def sentence(self) -> str:
        """Return how it ended in words: `exited 1`, `killed by SIGSEGV`."""
        if self.refused is not None:
            return self.refused
        if self.unhealthy is not None:
            return f"unhealthy: {self.unhealthy}"
        if self.signal is not None:
            return f"killed by {_SIGNALS.get(self.signal, f'signal {self.signal}')}"
        if self.exit_code is not None:
            return f"exited {self.exit_code}"
        return "ended, nobody saw how"


@dataclass(frozen=True, slots=True)
class History:
    """The restarts so far, as the model keeps them (`Process.restarts` and `Process.streak`)."""

    times: tuple[Seconds, ...] = ()
    """When restarts were decided on, oldest first; older than `GiveUp.window_s` do not count."""
    streak: int = 0
    """Restarts since a run last lived `GiveUp.reset_s`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a process that ended."""

    kind: Literal["final", "restart"]
    state: Literal["stopped", "exited", "backoff", "failed"]
    """The state that follows."""
    event: Literal["stopped", "exited", "retry", "give_up"]
    """The same as an event of `pool/lifecycle.py`."""
    reason: str
    """A sentence for people: `exited 1, again in 4 s (3 of 10)`."""
    delay_s: Seconds | None
    """Until it is started again; None if it is not."""
    history: History
    """To be kept for the next time."""


def decide(
    policy: Restart,
    ended: Exit,
    history: History,
    now: Seconds,
    random: Callable[[], float],
    *,
    backoff_s: Seconds = 1.0,
    give_up: GiveUp = USUAL,
) -> Decision:
    """Return what becomes of a process that ended.

    Args:
        policy: When it comes back by itself.
        ended: How it ended.
        history: Its restarts so far.
        now: Any clock in seconds, the same one each time.
        random: Gives a number from 0 up to 1.
        backoff_s: The first delay; 0 restarts at once each time.
        give_up: When it is enough.
    """
    times = tuple(time for time in history.times if now - give_up.window_s < time <= now)
    streak = 0 if ended.ran_s >= give_up.reset_s else history.streak
    how = ended.sentence()
    if ended.asked:
        return Decision("final", "stopped", "stopped", f"stopped ({how})", None, History())
    if not _comes_back(policy, ended):
        state, event = ("failed", "give_up") if ended.refused is not None else ("exited", "exited")
        return Decision("final", state, event, how, None, History())  # type: ignore[arg-type]
    if len(times) >= give_up.tries:
        count = f"{give_up.tries} restarts" if give_up.tries > 1 else "1 restart"
        reason = f"{how}; given up after {count} in {_window(give_up.window_s)}"
        return Decision("final", "failed", "give_up", reason, None, History(times, streak))
    delay_s = delay(backoff_s, streak, random)
    link = ";" if ended.refused is not None else ","
    when = f"again in {_in_words(delay_s)}" if delay_s else "again at once"
    reason = f"{how}{link} {when} ({len(times) + 1} of {give_up.tries})"
    return Decision("restart", "backoff", "retry", reason, delay_s, History((*times, now), streak + 1))


def delay(backoff_s: Seconds, streak: int, random: Callable[[], float]) -> Seconds:
    """Return the delay before the restart that follows `streak` others: doubled, capped, spread by a fifth."""
    if backoff_s <= 0:
        return 0.0
    # A first delay above the cap is what the user asked for; 2.0 ** 1024 would overflow.
    doubled = min(backoff_s * 2.0 ** min(streak, 20), max(MOST_S, backoff_s))
    return doubled * (1 + JITTER * (2 * random() - 1))


def _comes_back(policy: Restart, ended: Exit) -> bool:
    return policy == "always" or (policy == "on_failure" and not ended.clean())


def _window(seconds: Seconds) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:g} s"


def _in_words(seconds: Seconds) -> str:
    return f"{seconds:.0f} s" if seconds >= 0.95 else f"{seconds:.1f} s"
