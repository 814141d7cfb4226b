"""Which events are told to whom: rules, their waiting times, and that the same is told once in a while. Pure.

Above: `service.py`, which hands in events and the time. Below: `protocol/news.py`, which says what kind an event is.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from wezparallel.protocol import news

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wezparallel.types import JsonObject, Seconds

QUIET_S = 30.0
MOST_KEPT = 2000
_NEVER = ("notification.", "metric.", "alert.tested")
_ENDS = frozenset({"process.exited", "process.stopped", "process.removed", "process.starting"})
"""After these a process waits for nobody any more."""


class Message(NamedTuple):
    """What one channel is to tell."""

    message_id: str
    """The same for the same message, however often it is sent."""
    rule: str | None
    kind: str
    title: str
    body: str
    at: str
    event: JsonObject
    """`name`, `seq` and `data` of what happened."""


class Told(NamedTuple):
    """A message, and where it goes."""

    message: Message
    channels: list[str]


class Held(NamedTuple):
    """News that are told only if they still hold when they are due."""

    rule: str
    kind: str
    subject: str
    due: float
    event: JsonObject


class Rule(NamedTuple):
    """One rule."""

    name: str
    on: frozenset[str]
    where: tuple[str, ...]
    after_s: Seconds | None
    quiet_s: Seconds
    channels: tuple[str, ...]

    @classmethod
    def of(cls, name: str, said: JsonObject) -> Rule:
        """Return the rule that the hub tells."""
        return cls(
            name, frozenset(said["on"]), tuple(said.get("where") or ()), said.get("after"),
            float(said.get("quiet", QUIET_S)), tuple(said["channels"]),
        )  # fmt: skip

    def takes(self, event: JsonObject) -> str | None:
        """Return as what it takes an event, a kind or the event's name; None if it does not."""
        name, data = event["name"], event["data"]
        if not self._is_about(data):
            return None
        kind = news.kind_of(name, data)
        if kind in self.on and not (kind == "finished" and data["ran_s"] < self._least_s):
            return kind
        words = (word for word in self.on if word not in news.KINDS)
        return name if any(_matches(word, name) for word in words) else None

    def waits(self, kind: str) -> Seconds:
        """Return how long news of a kind have to hold before they are told."""
        return self.after_s or 0.0 if kind in {"waiting", "threshold"} else 0.0

    @property
    def _least_s(self) -> Seconds:
        return news.FINISHED_AFTER_S if self.after_s is None else self.after_s

    def _is_about(self, data: JsonObject) -> bool:
        if not self.where:
            return True
        process, workspace = str(data.get("process_id") or ""), str(data.get("workspace") or "")
        own = process.rpartition("/")[2]
        # A renamed workspace's processes keep their ids, so both names are theirs.
        names = {process, workspace, f"{workspace}/{own}" if workspace else process} - {""}
        return any(fnmatchcase(name, glob.rstrip("/")) for glob in self.where for name in names)


class Rules:
    """All of them, and what they have told."""

    def __init__(self, rules: dict[str, JsonObject]) -> None:
        self.rules = [Rule.of(name, said) for name, said in rules.items()]
        self._last: dict[tuple[str, str, str], tuple[float, int]] = {}
        """rule, what, about whom -> when it was told last, and how often it was not told since"""
        self._held: dict[tuple[str, str, str], tuple[float, Rule, JsonObject]] = {}
        """What has to hold for a while: when it is due, its rule, its event."""

    def take_over(self, before: Rules) -> None:
        """Go on from what other rules have told and hold; a rule of the same name is the same."""
        names = {rule.name: rule for rule in self.rules}
        self._last = {key: value for key, value in before._last.items() if key[0] in names}
        for key, (due, old, event) in before._held.items():
            if names.get(key[0]) == old:
                self._held[key] = (due, old, event)

    def held(self) -> list[Held]:
        """Return what has to hold for a while yet, to be kept."""
        return [Held(*key, due, event) for key, (due, _, event) in self._held.items()]

    def hold_again(self, kept: Iterable[Held]) -> None:
        """Go on waiting for what was kept; of a rule that is no more, for nothing."""
        names = {rule.name: rule for rule in self.rules}
        for one in kept:
            if one.rule in names and names[one.rule].waits(one.kind) > 0:
                self._held[one.rule, one.kind, one.subject] = (one.due, names[one.rule], one.event)

    def patterns(self) -> list[str]:
        """Return what has to be subscribed to."""
        found: set[str] = set()
        for rule in self.rules:
            for word in rule.on:
                found |= set(news.EVENTS.get(word, (word,)))
                if word == "waiting" or (word == "threshold" and rule.after_s):
                    found |= {"alert.cleared"} if word == "threshold" else {"process.notified", *_ENDS}
        return sorted(found)

    def hear(self, event: JsonObject, now: float, epoch: str = "") -> list[Told]:
        """Return what is to be told of an event now. A channel is told of one event once, whichever rules name it."""
        if event["name"].startswith(_NEVER):
            return []
        self._let_go(event)
        told: list[Told] = []
        used: set[str] = set()
        for rule in self.rules:
            kind = rule.takes(event)
            if kind is None:
                continue
            if rule.waits(kind) > 0:
                key = (rule.name, kind, _subject(event))
                self._held.setdefault(key, (now + rule.waits(kind), rule, event | {"epoch": epoch}))
                continue
            self._tell(rule, kind, event | {"epoch": epoch}, now, told, used)
        return told

    def due(self, now: float) -> list[Told]:
        """Return what has held for as long as it has to."""
        told: list[Told] = []
        for key in [key for key, (when, _, _) in self._held.items() if when <= now]:
            _, rule, event = self._held.pop(key)
            self._tell(rule, key[1], event, now, told, set())
        return told

    def next_due(self) -> float | None:
        """Return when `due` has something to tell, unless something happens."""
        return min((when for when, _, _ in self._held.values()), default=None)

    def _tell(self, rule: Rule, kind: str, event: JsonObject, now: float, told: list[Told], used: set[str]) -> None:
        channels = [name for name in dict.fromkeys(rule.channels) if name not in used]
        if not channels:
            return
        key = (rule.name, kind, _subject(event))
        when, missed = self._last.get(key, (float("-inf"), 0))
        if 0 <= now - when < rule.quiet_s:
            self._last[key] = (when, missed + 1)
            return
        self._last.pop(key, None)  # what was told last stands last
        self._last[key] = (now, 0)
        while len(self._last) > MOST_KEPT:
            del self._last[next(iter(self._last))]
        used.update(channels)
        told.append(Told(_message(rule.name, kind, event, missed), channels))

    def _let_go(self, event: JsonObject) -> None:
        """Forget what does not hold any more."""
        name, data = event["name"], event["data"]
        over = None
        if name == "alert.cleared":
            over = "threshold"
        elif name in _ENDS or (name == "process.notified" and not data.get("text")):
            over = "waiting"
        if over is not None:
            for key in [key for key in self._held if key[1] == over and key[2] == _subject(event)]:
                del self._held[key]


def of_test(test_id: str, name: str) -> Message:
    """Return what a test sends."""
    return Message(
        f"test-{test_id}", None, "test", "wezparallel", f"a test of {name}: notifications arrive", "",
        {"name": "alert.tested", "seq": 0, "data": {}},
    )  # fmt: skip


def _message(rule: str, kind: str, event: JsonObject, missed: int) -> Message:
    data = event["data"]
    body = news.words(event["name"], data)
    if missed:
        body += f" ({missed} more of the same before)"
    seq, epoch = int(event["seq"]), event.get("epoch") or ""
    shown = {"name": event["name"], "seq": seq, "data": data}
    return Message(f"{epoch}-{seq}-{rule}", rule, kind, news.title(data), body, event["at"], shown)


def _subject(event: JsonObject) -> str:
    data = event["data"]
    what = f":{data['what']}" if "what" in data else ""
    return f"{data.get('process_id') or data.get('workspace') or ''}{what}"


def _matches(pattern: str, name: str) -> bool:
    return pattern in {"*", name} or (pattern.endswith(".*") and name.startswith(pattern[:-1]))
