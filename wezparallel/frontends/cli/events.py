"""`events`: the journal, one line an event, or JSON lines."""

from __future__ import annotations

from fnmatch import fnmatchcase

from wezparallel.client import states, text
from wezparallel.frontends.cli import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.client.sync import Subscription
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_FIGURES = "metric."
_EVERYTHING = ("*", _FIGURES + "*")
_PATIENCE_S = 10  # without an event of a past that the hub is telling
MOST = 10_000  # events of the past; the hub does not replay more
_BAD = ("failed", "backoff", "error", "lost", "unhealthy")
_GOOD = ("running", "ready", "started", "opened", "created")


def events(context: Context) -> int:
    """Show the past, and with `--follow` what comes."""
    args = context.args
    patterns = args.pattern or ["*"]
    status = context.call("Status")
    since, not_before = _since(context, status["seq"])
    with context.connect() as client:
        # The hub tells the past in parts, and its end can be seen only where no event is left out.
        stream = client.subscribe([*patterns, *_EVERYTHING], since=since, epoch=status["epoch"])
        told = stream.first.get("snapshot") is None
        if not told:
            context.note("the journal does not reach back that far; what comes is shown")
        past = _past(stream, since, patterns, not_before) if told else []
        for event in past[-args.lines :] if args.lines > 0 else past:
            _show(context, event)
        if args.follow:
            first = stream.first
            _follow(context, client.subscribe(patterns, since=first["seq"], epoch=first["epoch"]), patterns)
    if not past and not args.follow:
        context.note("nothing of that kind happened yet")
    return exits.OK


def _since(context: Context, seq: int) -> tuple[int, float]:
    """Return the seq to begin after, and the time before which nothing is shown."""
    said = context.args.since
    if said is None:
        return max(0, seq - MOST), 0.0
    if said.isdigit():
        return int(said), 0.0
    return max(0, seq - MOST), text.moment(said, context.now)


def _takes(patterns: list[str], name: str) -> bool:
    """Tell whether an event of this name was asked for; `*` is all but figures, as the hub has it."""
    return any(name == one or fnmatchcase(name, one) for one in patterns if one != "*") or (
        "*" in patterns and not name.startswith(_FIGURES)
    )


def _past(stream: Subscription, since: int, patterns: list[str], not_before: float) -> list[JsonObject]:
    """Return the events up to the subscription's own `seq`."""
    until, last = stream.first["seq"], since
    found: list[JsonObject] = []
    while last < until:
        message = stream.next(_PATIENCE_S)
        if message is None or "Subscribed" in message:
            return found
        event = message.get("Event")
        if event:
            last = event["seq"]
            if last <= until and _takes(patterns, event["name"]) and text.parse_time(event["at"]) >= not_before:
                found.append(event)
    return found


def _follow(context: Context, stream: Subscription, patterns: list[str]) -> None:
    """Show what comes behind the subscription's own `since`; what the one before it still had sent, once."""
    last = -1
    context.screen.out.flush()
    for message in stream:
        event = message.get("Event")
        if event:
            if event["seq"] > last and _takes(patterns, event["name"]):
                _show(context, event)
            last = max(last, event["seq"])
        elif "Lagged" in message:
            context.note(f"{message['Lagged']['missed']} events were too many to tell; it goes on")
            if context.json:
                context.dump(message)
        context.screen.out.flush()


def _show(context: Context, event: JsonObject) -> None:
    if context.json:
        context.dump(event)
        return
    screen = context.screen
    name = event["name"]
    verb = name.rpartition(".")[2]
    data = event["data"]
    bad = any(word in verb for word in _BAD) or (verb == "exited" and (data.get("exit_code") or data.get("signal")))
    style = "bad" if bad else "good" if verb in _GOOD else ""
    at = text.parse_time(event["at"])
    when = text.clock(at) if context.now - at < 86400 else event["at"]
    words = [screen.paint(when, "dim"), screen.paint(text.pad(name, 20), style), _subject(data), _detail(event)]
    screen.say("  ".join(word for word in words if word).rstrip())


_SUBJECTS = ("process_id", "workspace", "snapshot", "hub_id", "channel", "name")


def _subject(data: JsonObject) -> str:
    return text.clean(str(next((data[key] for key in _SUBJECTS if data.get(key)), "")))


def _of_snapshot(data: JsonObject) -> list[str]:
    """Return why a snapshot was written, or taken back; a damaged database is said with where it is now."""
    counts = (
        f"{text.plural(data['workspaces'], 'workspace')}, {text.plural(data['processes'], 'process', 'processes')}"
    )
    if data["because"] == "damage":
        return [counts, f"the database was damaged and is set aside as {data.get('moved_to')}"]
    return [counts, "by itself" if data["because"] == "change" else str(data["because"])]


def _detail(event: JsonObject) -> str:
    """Return what is worth knowing beside the name: how it ended, why, who."""
    data = event["data"]
    parts = []
    ended = states.how_it_ended(data)
    if ended:
        ran = data.get("ran_s")
        parts.append(f"{ended} after {text.lasted(ran)}" if ran is not None else ended)
    elif data.get("pid") is not None:
        parts.append(f"pid {data['pid']}")
    if event["name"].startswith("notification."):
        parts.append(f"{data['title']}: {data['body']}")
    if event["name"].startswith("snapshot."):
        parts += _of_snapshot(data)
    parts += [str(data[field]).rstrip(".") for field in ("reason", "message") if data.get(field)]
    by = event.get("by") or {}
    if by.get("role") == "agent":
        parts.append(f"by agent {by.get('run_id') or ''}".rstrip())
    return text.clean(", ".join(dict.fromkeys(parts)))
