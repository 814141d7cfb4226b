"""Notifications by rules: what the settings say of them, and what hub and `integrations/notify` tell each other.

A rule says which news go through which channels. A channel's address is a secret: it is shown to nobody but the
program that sends.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from wezparallel.protocol.command import Command, Mutation, Record, Reply, Settings
from wezparallel.protocol.news import KINDS

BUILT_IN = ("desktop", "terminal")
"""Channels that need no definition."""
_EVENT = re.compile(r"\*|[a-z]+\.(?:\*|[a-z]+(?:_[a-z]+)*)")
_NEVER = ("notification.", "metric.", "alert.tested")
_AFTER = frozenset({"finished", "threshold", "waiting"})
_SPAN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|m|h|d)?\s*", re.IGNORECASE)
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_URL = re.compile(r"https?://[^/\s]+", re.IGNORECASE)


def _listed(value: Any) -> Any:
    """Return one word as a list of one."""
    return [value] if isinstance(value, str) else value


def _seconds(value: Any) -> Any:
    """Return what `10m` is in seconds."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    return float(found[1]) * _UNIT_S[(found[2] or "s").lower()] if found else value


_ONE_OR_MORE = WithJsonSchema({"anyOf": [{"type": "string"}, {"items": {"type": "string"}, "type": "array"}]})
Words = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], BeforeValidator(_listed), _ONE_OR_MORE]
Span = Annotated[
    float, BeforeValidator(_seconds), WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})
]
Addresses = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[A-Za-z][A-Za-z0-9+.-]*://")]],
    BeforeValidator(_listed),
    _ONE_OR_MORE,
]


class Channel(Settings):
    """Where notifications go: one of `webhook`, `command` and `apprise`."""

    webhook: Annotated[
        str | None, Field(max_length=4000, repr=False, description="A URL that each is posted to; it is a secret.")
    ] = None
    headers: Annotated[
        dict[str, Annotated[str, Field(max_length=4000)]],
        Field(max_length=50, repr=False, description="Of a webhook: sent with each; secrets."),
    ] = {}
    format: Annotated[
        Literal["json", "slack", "discord", "text"], Field(description="Of a webhook: what its body is.")
    ] = "json"
    command: Annotated[
        str | list[str] | None,
        Field(
            repr=False, description="A program and its arguments, or a line for the shell; it reads JSON on stdin."
        ),
    ] = None
    apprise: Annotated[
        Addresses, Field(max_length=20, repr=False, description="Apprise's URLs, as `slack://…`; secrets.")
    ] = []
    timeout: Annotated[Span, Field(gt=0, le=600, description="Seconds that one attempt may take.")] = 10.0
    tries: Annotated[int, Field(ge=1, le=100, description="Attempts, then it is given up.")] = 12
    backoff: Annotated[Span, Field(gt=0, le=3600, description="Seconds before the second attempt; doubles.")] = 1.0

    @field_validator("webhook")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None and (not _URL.match(url) or not url.isascii() or not url.isprintable() or " " in url):
            raise ValueError("a webhook is a URL that begins with http:// or https://")
        return url

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not value.isprintable():
                raise ValueError("a header has a name of letters and digits, and a value of one line")
        return headers

    @field_validator("command")
    @classmethod
    def _is_command(cls, command: str | list[str] | None) -> str | list[str] | None:
        if command is not None and (not command or not command[0] or "\0" in "".join(command)):
            raise ValueError("a command has a program")
        return command

    @model_validator(mode="after")
    def _one_way(self) -> Channel:
        if sum(map(bool, (self.webhook, self.command, self.apprise))) != 1:
            raise ValueError("a channel has one of `webhook`, `command` and `apprise`")
        return self

    @property
    def shown(self) -> str:
        """Return what may be told of it."""
        if self.webhook:
            return f"webhook {self.webhook.partition('://')[0]}://••••••"
        if self.command:
            return "command ••••••"
        return ", ".join(f"apprise {url.partition('://')[0]}://••••••" for url in self.apprise)


class Rule(Settings):
    """Which news go where."""

    on: Annotated[
        Words, Field(min_length=1, max_length=50, description=f"Of {', '.join(KINDS)}, or events as `process.ready`.")
    ]
    where: Annotated[
        Words, Field(max_length=100, description="Workspaces, or processes as `shop/*`; without, everything.")
    ] = []
    after: Annotated[
        Span | None,
        Field(ge=0, le=30 * 86400, description="Seconds that it ran (`finished`, else 30), or that it still holds."),
    ] = None
    quiet: Annotated[
        Span, Field(ge=0, le=86400, description="Seconds in which the same of the same is told once.")
    ] = 30.0
    channels: Annotated[Words, Field(min_length=1, max_length=20, description="Names of channels.")] = ["desktop"]

    @field_validator("on")
    @classmethod
    def _is_known(cls, on: list[str]) -> list[str]:
        for word in on:
            if word not in KINDS and not _EVENT.fullmatch(word):
                raise ValueError(f"it is told on {', '.join(KINDS)}, or on an event as `process.ready`, `process.*`")
            if word.startswith(_NEVER):
                raise ValueError("figures, and what is said of notifications, are never told by one")
        return on

    @model_validator(mode="after")
    def _has_after(self) -> Rule:
        if self.after is not None and not _AFTER & set(self.on):
            raise ValueError(f"`after` says something for {', '.join(sorted(_AFTER))} only")
        return self


class NotificationRules(Reply):
    """All that the program that sends has to know. Its addresses are secrets."""

    TAG: ClassVar[str] = "NotificationRules"
    rules: dict[str, Rule]
    channels: Annotated[dict[str, Channel], Field(repr=False)]
    since: Annotated[int, Field(description="Where to listen from, for one that has never listened.")]
    epoch: str


class NotificationGet(Command[NotificationRules]):
    """Return rules and channels, secrets too; only the daemon's own `notifications` process is answered."""

    REPLY: ClassVar[type[Reply]] = NotificationRules


class NotificationDisplayed(Reply):
    """Who showed it."""

    TAG: ClassVar[str] = "NotificationDisplayed"
    by: Annotated[
        Literal["toast", "terminal", "already", "nobody"],
        Field(description="`already`: it was told a moment ago, or somebody looks at it. `nobody`: nobody is there."),
    ]


class NotificationDisplay(Mutation[NotificationDisplayed]):
    """Show a notification where somebody is: as a toast of WezTerm, else in the terminal that was come to last."""

    REPLY: ClassVar[type[Reply]] = NotificationDisplayed
    title: Annotated[str, Field(max_length=200)]
    body: Annotated[str, Field(max_length=1000)]
    process: Annotated[
        str | None, Field(max_length=200, description="What it is about; who looks at it sees it.")
    ] = None
    kind: Annotated[str | None, Field(max_length=100, description="Of which kind of news it is.")] = None


class NotificationReported(Reply):
    """It is written down."""

    TAG: ClassVar[str] = "NotificationReported"


class NotificationReport(Mutation[NotificationReported]):
    """Tell what became of a notification."""

    REPLY: ClassVar[type[Reply]] = NotificationReported
    channel: Annotated[str, Field(max_length=200)]
    rule: Annotated[str | None, Field(max_length=200)] = None
    kind: Annotated[str | None, Field(max_length=100)] = None
    title: Annotated[str, Field(max_length=200)] = ""
    body: Annotated[str, Field(max_length=1000)] = ""
    reason: Annotated[str | None, Field(max_length=500, description="Why it did not arrive; null: it did.")] = None
    tries: Annotated[int, Field(ge=0)] = 1
    test_id: Annotated[str | None, Field(max_length=64, description="It was a test.")] = None


class ChannelTested(Record):
    """What became of a test in one channel."""

    channel: str
    reason: Annotated[str | None, Field(description="Why it did not arrive; null: it did.")]


class AlertTested(Reply):
    """Each channel was tried once."""

    TAG: ClassVar[str] = "AlertTested"
    results: list[ChannelTested]


class AlertTest(Mutation[AlertTested]):
    """Send a test through a channel, or through those of a rule; answers when each has been tried."""

    REPLY: ClassVar[type[Reply]] = AlertTested
    name: Annotated[str, Field(min_length=1, max_length=200, description="A rule's or a channel's name.")]


class NotificationEvent(Record):
    """Data of `notification.sent` and `notification.failed`."""

    channel: str
    rule: str | None
    kind: str | None
    title: str
    body: str
    tries: int
    reason: str | None = None


class TestEvent(Record):
    """Data of `alert.tested`: somebody wants to see that notifications arrive."""

    __test__: ClassVar[bool] = False  # it is no test of ours
    test_id: str
    name: str
    channels: list[str]


COMMANDS: tuple[type[Command[Reply]], ...] = (
    NotificationGet, NotificationDisplay, NotificationReport, AlertTest,
)  # type: ignore[assignment]  # fmt: skip
EVENTS: dict[str, type[Record]] = {
    "notification.sent": NotificationEvent, "notification.failed": NotificationEvent, "alert.tested": TestEvent,
}  # fmt: skip
