"""Reads `notifications.channels` and `notifications.rules` of a configuration file. Pure.

Above: `configuration.py`. Below: the models of `protocol/notification.py`. What a sentence says of a channel never
holds a value, because its values are secrets; the lines that it draws are covered already (`protocol/masking.py`).
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
from wezparallel.protocol.notification import BUILT_IN, Channel, Rule

Path = tuple[str, ...]
_MODELS: dict[str, type[Channel] | type[Rule]] = {"channels": Channel, "rules": Rule}


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
        self.wrong: list[Wrong] = []

    def read(self, path: Path, node: Map) -> dict[str, dict[str, Any]]:
        """Return the entries that hold; what does not is in `wrong`."""
        what = path[1]
        made: dict[str, dict[str, Any]] = {}
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
        return made

    def finish(self) -> list[Wrong]:
        """Return all mistakes, once all is read."""
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
        try:
            return model.model_validate(given).model_dump(exclude_unset=True)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=False, include_input=False):
                place = str(one["loc"][0]) if one["loc"] else ""
                said = str(one["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
                sentence = f"`{name}.{place}` does not hold: {said}" if place else f"`{name}` does not hold: {said}"
                self._say(sentence, marks.get(place, node.mark), _hint(model, place))
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
