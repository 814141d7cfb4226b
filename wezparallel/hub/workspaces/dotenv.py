"""Files of variables (`.env`), read as docker compose reads them. Pure; the text is handed in.

`NAME=value`, `NAME: value`, `export NAME=value`; `#` begins a comment; single quotes are literal, double quotes know
`\\n` and the like, both may go over several lines; `${NAME}` and `$NAME` name what stands above in the file or in the
environment, and are empty if there is nothing. Above: templates and starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.source import Source, quoted

MAX_BYTES = 256 * 1024
_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*")


def read(source: Source, environment: Mapping[str, str]) -> dict[str, str]:
    """Return a file's variables. Raises `template.syntax` with the file's line."""
    return _Reader(source, environment).read()


@dataclass(slots=True)
class _Reader:
    source: Source
    environment: Mapping[str, str]
    at: int = 0
    found: dict[str, str] = field(default_factory=dict)

    def read(self) -> dict[str, str]:
        text = self.source.text.removeprefix("\ufeff").replace("\r\n", "\n")
        while self.at < len(text):
            end = _line_end(text, self.at)
            line = text[self.at : end].strip()
            if not line or line.startswith("#"):
                self.at = end + 1
                continue
            self._entry(text, end)
        return self.found

    def _entry(self, text: str, end: int) -> None:
        while text[self.at] in " \t":
            self.at += 1
        named = _NAME.match(text, self.at, end)
        if named is None:
            raise self._error(text, "this is not `NAME=value`")
        name = named[1]
        after = named.end()
        if after >= end or text[after] == "#":  # only its name: what the environment has
            if name in self.environment:
                self.found[name] = self.environment[name]
            self.at = end + 1
            return
        if text[after] not in "=:":
            raise self._error(text, f"after {quoted(name)} stands no `=`")
        after += 1
        while after < end and text[after] in " \t":
            after += 1
        quote = text[after] if after < end and text[after] in "'\"" else ""
        if not quote:
            self.found[name] = self._filled(_COMMENT.sub("", text[after:end]).rstrip())
            self.at = end + 1
            return
        close = _closing(text, after + 1, quote)
        if close < 0:
            raise self._error(text, f"the value of {quoted(name)} has no second {quote}")
        inside = text[after + 1 : close]
        self.found[name] = inside if quote == "'" else self._double(inside)
        rest = text[close + 1 : _line_end(text, close)].strip()
        if rest and not rest.startswith("#"):
            self.at = close + 1
            raise self._error(text, f"after the value of {quoted(name)} stands something else")
        self.at = _line_end(text, close) + 1

    def _double(self, text: str) -> str:
        """Understand escapes and variables of a text in double quotes, each sign once."""
        out: list[str] = []
        at = 0
        while at < len(text):
            if text[at] == "\\" and at + 1 < len(text):
                sign = text[at + 1]
                out.append(_ESCAPES.get(sign, sign if sign in '"\\$' else f"\\{sign}"))
                at += 2
                continue
            found = _VARIABLE.match(text, at) if text[at] == "$" else None
            out.append(self._value(found) if found else text[at])
            at = found.end() if found else at + 1
        return "".join(out)

    def _filled(self, text: str) -> str:
        return _VARIABLE.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        name = found[1] or found[4]
        value = self.found.get(name, self.environment.get(name))
        form, word = found[2] or "", found[3] or ""
        if form.endswith("-") and (value is None or (form == ":-" and not value)):
            return word
        if form.endswith("+"):
            return word if value is not None and (value or form == "+") else ""
        return value or ""

    def _error(self, text: str, sentence: str) -> Exception:
        line = text.count("\n", 0, self.at) + 1
        column = self.at - (text.rfind("\n", 0, self.at) + 1) + 1
        # The line is not drawn: what stands in such a file is nobody else's business.
        hint = "One variable a line: `NAME=value`."
        shown = self.source.shown_path or self.source.path
        return RequestError(
            "template.syntax", f"{shown}:{line}:{column}: {sentence}\n{hint}", file=self.source.path, line=line,
            column=column, sentence=sentence, excerpt="", hint=hint,
        )  # fmt: skip


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _closing(text: str, at: int, quote: str) -> int:
    while at < len(text):
        if text[at] == "\\" and quote == '"':
            at += 2
            continue
        if text[at] == quote:
            return at
        at += 1
    return -1
