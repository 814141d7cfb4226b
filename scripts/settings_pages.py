"""Makes what is made from the table of options: its reference page, the JSON Schema and the sample file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from wezparallel.hub import foreign_settings, options
from wezparallel.hub.config_variables import ALIASES, variable
from wezparallel.hub.schema import config_schema
from wezparallel.hub.settings import KindSettings, Settings

_TABLE = "| option | default | unit | meaning | variable |\n|---|---|---|---|---|\n"
_INTRO = """# Settings

Read from `~/.config/wezterm-parallel/config.yaml` (`XDG_CONFIG_HOME` wins), else `config.yml`, else
`config.toml` there; `daemon start --config FILE` or `WEZPARALLEL_CONFIG` names another file. What holds, the
strongest first: flags (`daemon start --set OPTION=VALUE`), environment, file, defaults. `wezparallel config
show --origin` tells what holds and where it comes from, `config check` looks at a file, `config edit` makes one
with every option as a comment.

A variable counts as it is in the environment of the daemon, which has it from whoever started it. A time may be
written with its unit (`30s`, `500ms`, `2m`). `${NAME}` and `${NAME:-default}` in a value are the daemon's
variables; in `environment:` those that the process gets: if one is unset, the variable is left out, and the
hub's log says so at the start. A key that is not known is a warning with the nearest name; a bad value is an
error, and nothing of the file holds until it is right: what held before goes on to hold.

After `wezparallel config reload`, a SIGHUP to the hub, or `config edit`, everything here holds at once; for
what is started, from its next start on.
"""
_SAMPLE = """\
# Configuration of wezparallel: copy it to ~/.config/wezterm-parallel/config.yaml, or let `wezparallel config edit` do
# that. Each line shows an option with its default; take the `# ` before it away to change it.
# What holds: `wezparallel config show --origin`. Every option: docs/reference/settings.md.
"""
_TEMPLATES = """
  # Templates of your own, beside those in files.
  # templates:
  #   notes:
  #     panes: [shell, "vim notes.md"]
"""
_CHANNELS = """
  # Where rules can send to. Addresses are secrets; `${NAME}` is a variable of the daemon.
  # channels:
  #   phone: { webhook: "https://ntfy.sh/${NTFY_TOPIC}", format: text }
  #   team: { apprise: "slack://${SLACK_TOKEN}" }
  #   speak: { command: 'espeak "$WEZPARALLEL_TITLE: $WEZPARALLEL_BODY"' }
"""
_RULES = """
  # Which news go where: docs/howto/notifications.md. `desktop` and `terminal` are channels that are always there.
  # rules:
  #   broken: { on: exit_abnormal, where: shop, channels: [phone, desktop] }
  #   long: { on: finished, after: 10m, channels: phone }
"""
_FREE = {"templates": _TEMPLATES, "channels": _CHANNELS, "rules": _RULES}
_PROCESS_TEMPLATES = """
# Processes that templates use by name.
# process_templates:
#   api: { command: npm start }
"""


def page() -> str:
    """Return the reference page."""
    out = ["<!-- Made by scripts/gen; edit the code instead. -->\n\n", _INTRO]
    for name, info in Settings.model_fields.items():
        if name == "processes":
            out.append(f"\n## processes.KIND\n\n{_doc(KindSettings)}\n\n{_TABLE}")
            out.extend(_row(("processes", "KIND", option)) for option in KindSettings.model_fields)
            out.append("\nOf `claude_code` at most 16 run at the same time, unless the file says otherwise.\n")
        elif name in options.sections():
            section = options.sections()[name]
            out.append(f"\n## {name}\n\n{_doc(section)}\n\n{_TABLE}")
            out.extend(_row((name, option)) for option in section.model_fields)
        else:
            out.append(f"\n## {name}\n\n{info.description}\n")
    out.append("\n## Variables of other programs\n\nOurs goes before them; a lower line before a higher one.\n\n")
    out.append("| variable | option |\n|---|---|\n")
    out.extend(f"| `{name}` | `{'.'.join(path)}` |\n" for name, path in ALIASES)
    out.append("\n## Options of other programs' files\n\n| theirs | here |\n|---|---|\n")
    out.extend(f"| `{name}` | `{ours.option}` |\n" for name, ours in foreign_settings.MEANT.items())
    out.extend(f"| `{name}` | no meaning: {why} |\n" for name, why in foreign_settings.MEANINGLESS.items())
    return "".join(out)


def schema() -> str:
    """Return the JSON Schema as a file."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def sample() -> str:
    """Return the sample file."""
    return _SAMPLE + "".join(_sample_sections())


def _sample_sections() -> Iterator[str]:
    for name in Settings.model_fields:
        if name == "processes":
            yield f"\n# {_doc(KindSettings)}\nprocesses:\n  claude_code:\n"
            for option in KindSettings.model_fields:
                yield _sample_line(("processes", "claude_code", option), "    ")
        elif name in options.sections():
            section = options.sections()[name]
            yield f"\n# {_doc(section)}\n{name}:\n"
            for option in section.model_fields:
                yield _FREE[option] if options.is_raw((name, option)) else _sample_line((name, option), "  ")
        else:
            yield _PROCESS_TEMPLATES


def _sample_line(path: options.Path, indent: str) -> str:
    option = options.find(path)
    assert option is not None
    words = f" One of {', '.join(option.words)}." if len(option.words) > 1 else ""
    unit = f" Unit: {option.unit}." if option.unit else ""
    value = options.default(path)
    if option.is_map:
        example = "{ NAME: value }" if path[-1] == "environment" else "{ create_workspace: ctrl+shift+n }"
        return f"{indent}# {option.text}\n{indent}# {path[-1]}: {example}\n"
    return f"{indent}# {option.text}{unit}{words}\n{indent}# {path[-1]}: {_yaml(value)}\n"


def _row(path: options.Path) -> str:
    if options.is_raw(path):
        info = Settings.model_fields[path[0]].annotation.model_fields[path[1]]  # type: ignore[union-attr]
        return f"| `{path[-1]}` | | | {info.description} | |\n"
    option = options.find(path)
    assert option is not None
    words = f" One of {', '.join(f'`{word}`' for word in option.words)}." if len(option.words) > 1 else ""
    value = options.default(path)
    default = "" if value in (None, {}) else f"`{_yaml(value)}`"
    name = variable(path)
    return f"| `{path[-1]}` | {default} | {option.unit} | {option.text}{words} | {f'`{name}`' if name else ''} |\n"


def _yaml(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return f"{value:g}"
    return json.dumps(value) if str(value)[:1].isdigit() else str(value)


def _doc(section: type) -> str:
    return " ".join((section.__doc__ or "").split())
