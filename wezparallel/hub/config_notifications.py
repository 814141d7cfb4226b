"""Reads `notifications.channels` and `notifications.rules` of a configuration file. Pure.

Above: `configuration.py`. Below: the models of `protocol/notification.py`. What a sentence says of a channel never
holds a value, because its values are secrets; the lines that it draws are covered already (`protocol/masking.py`).

Seed 000's five keys (`slack_webhook` and so on) are understood too: as channels, and as one rule that tells these of
every kind.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from wezparallel.hub.expansion import expand
from wezparallel.hub.workspaces.source import Mark, did_you_mean, fold, nearest, quoted
from wezparallel.hub.workspaces.yaml_lines import Mapping as Map
from wezparallel.hub.workspaces.yaml_lines import Node, Scalar
from wezparallel.hub.workspaces.yaml_lines import Sequence as List
from wezparallel.protocol.news import KINDS
from wezparallel.protocol.notification import BUILT_IN, Channel, Rule

Path = tuple[str, ...]
_MODELS: dict[str, type[Channel] | type[Rule]] = {"channels": Channel, "rules": Rule}


TOLD_BY_ITSELF = ("exit_abnormal", "finished", "error", "waiting")
SEED_RULE = "alerts"
_OF_SEED = {
    "slack_webhook": ("slack", "slack"),
    "discord_webhook": ("discord", "discord"),
    "custom_webhooks": ("webhook", "json"),
}
"""Key -> the channel that it is, and what that channel speaks."""
_MAIL = ("mail", "email")


class Wrong(NamedTuple):
    """A mistake: the sentence, where, what to do."""

    sentence: str
    mark: Mark
    hint: str


class Notifications:
    """What one file says of them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._channels: set[str] = set()
        self._named: list[tuple[str, str, Mark]] = []
        """rule, the channel that it names, where"""
        self._of_seed: list[str] = []
        self._mail: Mark | None = None
        self.made: dict[str, dict[str, dict[str, Any]]] = {}
        """`channels` and `rules`, by name, as far as they hold"""
        self.first: Mark | None = None
        self.wrong: list[Wrong] = []

    def read(self, path: Path, node: Map) -> None:
        """Take the channels or the rules."""
        what = path[1]
        made = self.made.setdefault(what, {})
        self.first = self.first or node.mark
        for key, value in node.entries:
            self._channels |= {key.text} if what == "channels" else set()
            if what == "channels" and key.text in BUILT_IN:
                self._say(f"the channel {key.text} is there by itself", key.mark, "Give this one another name.")
                continue
            if not key.text or not key.text.isprintable() or len(key.text) > 64:
                self._say(f"{quoted(key.text)} is no name", key.mark, "Printable, and at most 64 characters.")
                continue
            entry = self._entry((*path, key.text), value, _MODELS[what])
            if entry is not None:
                made[key.text] = entry

    def seed(self, name: str, node: Node) -> str | None:
        """Take a key of seed 000; return what it is here, None where it is none of its keys."""
        if name == "push_notifications":
            return "`tell_…` here: what the daemon tells by itself; each kind can be switched off"
        if name == "email_alerts":
            self._mail = node.mark if isinstance(node, Scalar) and node.value is True else None
            return f"the channel {_MAIL[0]} here, for which Apprise needs an address"
        if name not in _OF_SEED:
            return None
        channel, form = _OF_SEED[name]
        self.first = self.first or node.mark
        for number, one in enumerate(node.items if isinstance(node, List) else (node,), 1):
            own = f"{channel}_{number}" if isinstance(node, List) else channel
            given = {"webhook": self._plain(one), "format": form}
            made = self._validated(f"notifications.{name}", Channel, given, {"webhook": one.mark}, one.mark)
            if made is not None:
                self.made.setdefault("channels", {}).setdefault(own, made)
                self._channels.add(own)
                self._of_seed.append(own)
        return f"the channel {channel} here, and the rule `{SEED_RULE}` that tells it of every kind"

    def finish(self) -> list[Wrong]:
        """Return all mistakes, once all is read."""
        if self._mail is not None:
            mail = [name for name in _MAIL if name in self._channels]
            self._of_seed += mail
            if not mail:
                hint = f'Write channels: {{ {_MAIL[0]}: {{ apprise: "mailto://…" }} }}.'
                self._say("`notifications.email_alerts` says no address", self._mail, hint)
        rules = self.made.setdefault("rules", {}) if self._of_seed else {}
        if self._of_seed and SEED_RULE not in rules:
            rules[SEED_RULE] = {"on": list(KINDS), "channels": self._of_seed}
        known = [*BUILT_IN, *sorted(self._channels)]
        for rule, channel, mark in self._named:
            if channel not in known:
                self._say(
                    f"the rule {quoted(rule)} names a channel that is not there", mark, did_you_mean(channel, known)
                )
        return self.wrong

    def _entry(self, path: Path, node: Node, model: type[Channel] | type[Rule]) -> dict[str, Any] | None:
        name = ".".join(path)
        if not isinstance(node, Map):
            self._say(f"`{name}` has to be a map", node.mark, f"Of {', '.join(model.model_fields)}.")
            return None
        given: dict[str, Any] = {}
        marks: dict[str, Mark] = {}
        before = len(self.wrong)
        for key, value in node.entries:
            option = fold(key.text)
            if option not in model.model_fields:
                near = nearest(option, model.model_fields)
                hint = f"Did you mean {quoted(near)}?" if near else f"Known are {', '.join(model.model_fields)}."
                self._say(f"`{name}` has no {quoted(key.text)}", key.mark, hint)
                continue
            marks[option] = value.mark
            given[option] = self._plain(value)
            if option == "channels":
                self._named += [(path[-1], word.text, word.mark) for word in _words(value)]
        if len(self.wrong) > before:
            return None
        return self._validated(name, model, given, marks, node.mark)

    def _validated(
        self, name: str, model: type[Channel] | type[Rule], given: dict[str, Any], marks: dict[str, Mark], mark: Mark
    ) -> dict[str, Any] | None:
        try:
            return model.model_validate(given).model_dump(exclude_unset=True)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=False, include_input=False):
                place = str(one["loc"][0]) if one["loc"] else ""
                said = str(one["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
                sentence = f"`{name}.{place}` does not hold: {said}" if place else f"`{name}` does not hold: {said}"
                self._say(sentence, marks.get(place, mark), _hint(model, place))
            return None

    def _plain(self, node: Node) -> Any:
        """Return a value with the daemon's variables filled in."""
        if isinstance(node, Map):
            return {key.text: self._plain(value) for key, value in node.entries}
        if isinstance(node, List):
            return [self._plain(item) for item in node.items]
        if not isinstance(node.value, str) or "$" not in node.value:
            return node.value
        value, missing = expand(node.value, self._environment)
        if missing:
            hint = f"Set it before the daemon starts, or write ${{{missing[0]}:-VALUE}}."
            self._say(f"the variable {missing[0]} is not set", node.mark, hint)
        return value

    def _say(self, sentence: str, mark: Mark, hint: str) -> None:
        self.wrong.append(Wrong(sentence, mark, hint))


def _words(node: Node) -> Iterator[Scalar]:
    for one in node.items if isinstance(node, List) else (node,):
        if isinstance(one, Scalar):
            yield one


def _hint(model: type[Channel] | type[Rule], place: str) -> str:
    info = model.model_fields.get(place)
    words = typing.get_args(info.annotation) if info is not None else ()
    if words and all(isinstance(word, str) for word in words):
        return f"It is one of {', '.join(words)}."
    return (info.description or "") if info is not None else ""
