"""What a template says about how a process is supervised: probes, limits, dependencies, its end. Pure.

Above: processes. Below: `fields` and the daemon's own records.
"""

from __future__ import annotations

import re
from typing import Any

from wezparallel.hub.workspaces import commands, language
from wezparallel.hub.workspaces.fields import Fields, text_of
from wezparallel.hub.workspaces.source import Mark, did_you_mean, fold, quoted
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, Sequence
from wezparallel.protocol.process import StopRules
from wezparallel.protocol.supervision import PROBES, ULIMITS, GiveUp, Limits, Need, Probe, below_folder

NEEDS: tuple[Need, ...] = ("started", "ready", "exited_ok")
_SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "WINCH", "CONT", "ALRM")
_TCP = re.compile(r"(?:(?:\[[0-9A-Fa-f:.]+\]|[^\s:/]+):)?([0-9]{1,5})\Z")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%?\Z")
_DAY = 86400.0


def depends_on(fields: Fields) -> list[tuple[str, Need, Mark]]:
    """Return what a process waits for: name, what of it, and where that is said. Names are not looked up here."""
    node = fields.node("depends_on")
    if node is None:
        return []
    if isinstance(node, Scalar):
        return [(text_of(fields.source, node, "`depends_on`"), "started", node.mark)]
    if isinstance(node, Sequence):
        return [(text_of(fields.source, item, "`depends_on`"), "started", item.mark) for item in node.items]
    found: list[tuple[str, Need, Mark]] = []
    for key, value in node.entries:
        word = "started" if _is_null(value) else fold(text_of(fields.source, value, f"what of {quoted(key.text)}"))
        need = next((one for one in NEEDS if one == word), None)
        if need is None:
            raise fields.error(f"nothing waits until {quoted(word)}", value.mark, did_you_mean(word, NEEDS))
        found.append((key.text, need, key.mark))
    return found


def probe(fields: Fields, name: str, shell: str) -> Probe | None:
    """Return `ready` or `health`. A single text is a URL, or a port or `host:port`."""
    node = fields.node(name)
    if node is None:
        return None
    if isinstance(node, Scalar):
        text = text_of(fields.source, node, f"`{name}`")
        if text.startswith(("http://", "https://")):
            return Probe(http=text)
        if not _is_port(text):
            raise fields.error(
                f"`{name}` cannot be {quoted(text)}", node.mark,
                f"Write a URL, a port, or a map: {name}: {{ log_line: listening }}. "
                f"Known are: {', '.join(PROBES)}.",
            )  # fmt: skip
        return Probe(tcp=text)
    told = Fields(fields.source, node, f"`{name}`")
    told.allow(language.names(language.PROBE))
    kinds = [one for one in PROBES if told.raw(one) is not None]
    if len(kinds) != 1:
        marks = [told.key_mark(one) for one in kinds] or [told.mark]
        raise fields.source.error("template.syntax", f"`{name}` needs exactly one of {', '.join(PROBES)}", marks)
    # What nobody said stays unsaid, so that the settings can say it.
    said: dict[str, Any] = {}
    if "interval" in told:
        said["interval_s"] = told.seconds("interval", 10.0, 0.05)
    if "timeout" in told:
        said["timeout_s"] = told.seconds("timeout", 5.0, 0.001, 600.0)
    if "threshold" in told:
        said["threshold"] = told.whole("threshold", 3, 1, 100)
    if "start" in told:
        said["start_s"] = told.seconds("start", 30.0, 0.0, _DAY)
    looks = {"exec": _exec(told, shell), "http": _http(told), "tcp": _tcp(told), "log_line": _log_line(told)}
    return Probe(**{kind: look for kind, look in looks.items() if look is not None}, **said)


def give_up(fields: Fields) -> GiveUp:
    """Return when restarts end."""
    node = fields.node("give_up")
    if node is None:
        return GiveUp()
    if isinstance(node, Scalar):
        return GiveUp(tries=fields.whole("give_up", 10, 1, 1000))
    told = Fields(fields.source, node, "`give_up`")
    told.allow(language.names(language.GIVE_UP))
    return GiveUp(
        tries=told.whole("tries", 10, 1, 1000),
        window_s=told.seconds("window", 600.0, 0.001, _DAY),
        reset_s=told.seconds("reset", 30.0, 0.0, _DAY),
    )


def limits(fields: Fields) -> Limits:
    """Return what a process may use; said in `limits:`, or beside the other keys."""
    names = language.names(language.LIMITS)
    inside = fields.below("limits", names)
    for name in names:
        if inside is not None and name in inside and name in fields:
            raise fields.source.error(
                "template.syntax", f"{quoted(name)} stands here twice", [fields.key_mark(name), inside.key_mark(name)]
            )
    by_name = {name: inside if inside is not None and name in inside else fields for name in names}
    memory = by_name["memory_alert"]
    said: dict[str, Any] = {}
    if "cpu_alert" in by_name["cpu_alert"]:
        said["cpu_alert_percent"] = _percent(by_name["cpu_alert"])
    if "memory_alert" in memory:
        said["memory_alert_bytes"] = memory.size("memory_alert", 0) or None
    return Limits(
        nice=by_name["nice"].whole("nice", 0, -20, 19), ulimits=_ulimits(by_name["ulimits"]), **said
    )  # fmt: skip


def watch(fields: Fields) -> list[str]:
    """Return the globs whose files restart it."""
    node = fields.node("watch")
    globs = fields.words_or_one("watch")
    if node is None:
        return globs
    for glob, item in zip(globs, node.items if isinstance(node, Sequence) else [node], strict=False):
        try:
            below_folder(glob)
        except ValueError as error:
            raise fields.error(f"`watch`: {error}", item.mark) from None
    return globs


def stop(fields: Fields, *, is_shell: bool) -> StopRules:
    """Return how a process is stopped."""
    # An interactive shell ignores SIGTERM, and hands SIGHUP on to its jobs.
    signal = "SIGHUP" if is_shell else "SIGTERM"
    kill = "group" if is_shell else "tree"
    node = fields.node("stop")
    if node is None:
        return StopRules(signal=signal, kill=kill)
    if isinstance(node, Scalar):
        return StopRules(signal=_signal(fields, node), kill=kill)
    told = Fields(fields.source, node, "`stop`")
    told.allow(language.names(language.STOP))
    named = told.node("signal")
    said: dict[str, Any] = {"grace_s": told.seconds("grace", 5.0)} if "grace" in told else {}
    return StopRules(
        signal=signal if named is None else _signal(told, named),
        kill=told.choice("kill", ("tree", "group"), kill),
        **said,
    )


def _signal(fields: Fields, node: Node) -> str:
    text = text_of(fields.source, node, "a signal")
    name = text.upper().removeprefix("SIG")
    if name not in _SIGNALS:
        raise fields.error(
            f"{quoted(text)} is not a signal to stop with", node.mark,
            f"Known are: {', '.join('SIG' + one for one in _SIGNALS)}.",
        )  # fmt: skip
    return f"SIG{name}"


def _exec(told: Fields, shell: str) -> list[str] | None:
    node = told.node("exec")
    if node is None:
        return None
    if isinstance(node, Sequence):
        words = told.words("exec")
        if not words or not words[0]:
            raise told.error("the list of a command begins with a program", node.mark)
        return words
    text = text_of(told.source, node, "`exec`")
    if not text.strip():
        raise told.error("the command is empty", node.mark)
    return commands.in_shell(text.strip(), shell)


def _http(told: Fields) -> str | None:
    url = told.text("http") or None
    if url is not None and not re.match(r"https?://[^\s/]+", url):
        raise told.error(
            f"{quoted(url)} is no URL", told.key_mark("http"), "For example http://localhost:8080/health."
        )
    return url


def _tcp(told: Fields) -> str | None:
    text = told.text("tcp") or None
    if text is not None and not _is_port(text):
        raise told.error(f"{quoted(text)} is neither a port nor host:port", told.key_mark("tcp"))
    return text


def _log_line(told: Fields) -> str | None:
    text = told.text("log_line") or None
    try:
        if text is not None:
            re.compile(text)
    except re.error as error:
        raise told.error(f"this is no regular expression: {error.msg}", told.key_mark("log_line")) from None
    return text


def _is_port(text: str) -> bool:
    found = _TCP.match(text)
    return found is not None and 0 < int(found[1]) < 65536


def _ulimits(fields: Fields) -> dict[str, int]:
    node = fields.node("ulimits")
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        raise fields.error("`ulimits` has to be a map", node.mark, "For example ulimits: { nofile: 4096 }.")
    found: dict[str, int] = {}
    for key, value in node.entries:
        name = key.text.lower().removeprefix("rlimit_")
        if name not in ULIMITS:
            raise fields.error(f"there is no limit {quoted(key.text)}", key.mark, did_you_mean(name, ULIMITS))
        number = value.value if isinstance(value, Scalar) else None
        if isinstance(value, Scalar) and value.text in ("unlimited", "infinity"):
            number = -1
        if isinstance(number, bool) or not isinstance(number, int) or not -1 <= number < 1 << 63:
            raise fields.error("a limit is a whole number; -1 lifts it", value.mark)
        found[name] = number
    return found


def _percent(fields: Fields) -> float | None:
    node = fields.node("cpu_alert")
    if node is None:
        return None
    found = _PERCENT.match(text_of(fields.source, node, "`cpu_alert`"))
    if found is None or not 0 < float(found[1]) <= 100_000:
        raise fields.error("`cpu_alert` has to be a percentage of one core", node.mark, "For example 80 or 80%.")
    return float(found[1])


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None
