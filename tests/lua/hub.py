"""The hub as Lua knows it: answers to requests by their names, and the snapshot file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.lua.fake import FakeWezterm
from wezparallel.hub.workspaces.layouts import Layout, compile_picture, read_picture
from wezparallel.hub.workspaces.source import Mark

MUX = "/run/wezterm/gui-sock-1"
PYTHON, ATTACH, DIRECT = "/opt/w/python", "/opt/w/attach.py", "/opt/w/direct.py"
ENV = {"WEZPARALLEL_RUNTIME_DIR": "/run/w"}

Json = dict[str, Any]


def refusal(code: str, message: str, **data: Any) -> Json:
    """An answer that is an error."""
    return {"Error": {"code": code, "message": message, "data": data}}


def plan_tab(workspace: str, rows: list[str], *, title: str = "", focus: str = "", direct: str = "") -> Json:
    """A tab of a plan, compiled from a picture as the hub does it."""
    layout: Layout = compile_picture(read_picture([(row, Mark(1, 1)) for row in rows]))
    panes = [
        {"pane": n, "process_id": f"{workspace}/{n}", "title": n, "focus": n == focus, "direct": n == direct}
        for n in layout.panes
    ]
    splits = [split.model_dump() for split in layout.splits]
    return {"title": title, "focus": focus or None, "first": layout.first, "splits": splits, "panes": panes}


def process(process_id: str, state: str = "running", **more: Any) -> Json:
    """A process of the snapshot."""
    name = process_id.rpartition("/")[2]
    return {
        "id": process_id, "name": name, "state": state, "pane": True, "direct": False, "exit_code": None,
        "reason": None, "waits": None, "on_close": "keep", "since": None, "views": [], **more,
    }  # fmt: skip


def workspace(name: str, tabs: list[Json], **more: Any) -> Json:
    """A workspace of the snapshot, with a running process for every pane."""
    processes = [process(pane["process_id"], direct=pane["direct"]) for tab in tabs for pane in tab["panes"]]
    return {
        "name": name, "root": f"/home/me/{name}", "open": True, "focus": None, "switched_at": None, "tabs": tabs,
        "processes": processes, **more,
    }  # fmt: skip


class Hub:
    """Answers what the plugin asks; an unknown request is an error of the test."""

    def __init__(self, wezterm: FakeWezterm) -> None:
        self.wezterm = wezterm
        self.requests: list[Json] = []
        self.answers: dict[str, Json | Callable[[Json], Json]] = {"ViewClose": {"ViewClosed": {"views": {}}}}
        self.programs: list[list[str]] = []
        """Other programs that were run, each of which succeeds."""
        wezterm.answer = self._answer
        self.path = wezterm.home / ".local/state/wezterm-parallel/gui.json"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.state: Json = {
            "format": 1, "protocol": {"min": 1, "max": 1}, "python": PYTHON, "call": "/opt/w/call.py",
            "attach": ATTACH, "direct": DIRECT, "program": [PYTHON, "-m", "wezparallel"], "socket": "/run/w/hub.sock",
            "keeper_socket": "/run/w/keeper.sock", "env": ENV, "ui": {}, "counts": {}, "waiting": [],
            "workspaces": [], "loose": [], "templates": [], "requests": [],
        }  # fmt: skip
        self.tell()

    def tell(self, **fields: Any) -> None:
        """Write the snapshot, with these fields replaced."""
        self.state |= fields
        self.path.write_text(json.dumps(self.state))

    def has(self, *workspaces: Json) -> None:
        """Have these workspaces, and answer what is asked about them."""
        by_name = {one["name"]: one for one in workspaces}
        self.tell(workspaces=list(workspaces))

        def record(fields: Json) -> Json:
            one = by_name[fields["name"]]
            shown = {key: one[key] for key in ("name", "root", "open", "switched_at")}
            return {"workspace": shown, "plan": {"tabs": one["tabs"]}, "processes": []}

        self.answers |= {
            "WorkspaceGet": lambda fields: {"Workspace": record(fields)},
            "WorkspaceOpen": lambda fields: {"WorkspaceOpened": record(fields)},
            "WorkspaceList": {"Workspaces": {"workspaces": list(workspaces)}},
        }

    def asked(self, name: str) -> list[Json]:
        """The requests of this name, without their keys."""
        found = [one[name] for one in self.requests if name in one]
        return [{field: value for field, value in one.items() if field != "key"} for one in found]

    def _answer(self, argv: list[str]) -> tuple[bool, str, str]:
        if "/opt/w/call.py" not in argv:
            self.programs.append(argv)
            return True, "", ""
        request = json.loads(argv[-1])
        self.requests.append(request)
        ((name, fields),) = request.items()
        answer = self.answers[name]
        return True, json.dumps(answer(fields) if callable(answer) else answer) + "\n", ""


def run(wezterm: FakeWezterm, module: str, function: str, *args: Any) -> Any:
    """Call a function of the plugin with the window and pane in the focus, as an action does."""
    code = "local module, name, window, pane = ... return require('wezparallel.' .. module)[name](window, pane"
    code += "".join(f", (select({index}, ...))" for index in range(5, 5 + len(args))) + ")"
    return wezterm.call(code, module, function, wezterm.window(), wezterm.pane(), *args)


def titles(wezterm: FakeWezterm, workspace: str) -> list[str]:
    """The titles of the tabs of a workspace."""
    return [str(tab.title) for tab in wezterm.tabs(workspace)]


def shows(wezterm: FakeWezterm, tab: Any) -> dict[str, tuple[int, int, int, int]]:
    """Where each process of a tab is: left, top, columns, rows."""
    found = {}
    for place in wezterm.places(tab):
        args = wezterm.world.panes[place["pane"]].args
        name = str(args[5]) if args and len(args) > 4 else f"pane {place['pane']}"
        found[name] = (place["left"], place["top"], place["width"], place["height"])
    return found


def pane_of(wezterm: FakeWezterm, process_id: str) -> int:
    """The id of the pane that was made for a process."""
    for number, pane in wezterm.world.panes.items():
        if pane.args and process_id in list(pane.args.values()):
            return int(number)
    raise LookupError(process_id)


def adjusts(wezterm: FakeWezterm) -> list[list[str]]:
    """Have `adjust-pane-size` do what WezTerm does: the border of the active pane moves, whatever pane is named."""
    answer, made = wezterm.answer, []
    move_border = wezterm._part("fake_layout")().move_border

    def move(argv: list[str]) -> tuple[bool, str, str] | str:
        if argv[2:4] != ["--no-auto-start", "adjust-pane-size"]:
            return answer(argv)
        made.append(argv[4:])
        tab = wezterm.world.tabs[wezterm.world.panes[int(argv[8])].tab]
        move_border(tab.tree, tab.active, argv[4], int(argv[6]), tab.cols, tab.rows)
        return True, "", ""

    wezterm.answer = move
    return made
