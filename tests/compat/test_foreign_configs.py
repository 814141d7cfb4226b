"""Files of the three programs around the seeds: each loads, nothing is unknown, and what has a meaning here acts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wezparallel.hub import configuration

HERE = Path(__file__).parent
MEANT: dict[str, dict[str, Any]] = {
    "rust": {
        "communication.socket_path": "/tmp/wezterm-parallel.sock", "workspaces.max_workspaces": 8,
        "workspaces.default_template": "basic", "workspaces.auto_save_interval": 30, "workspaces.max_processes": 16,
        "processes.claude_code.timeout": 60, "processes.claude_code.health_check_interval": 5,
        "processes.claude_code.restart_policy": "on_failure", "supervision.give_up_tries": 3,
        "framework.log_level": "info",
    },
    "framework": {
        "framework.version": "1.0.0", "framework.log_level": "info", "ui.theme": "catppuccin",
        "communication.socket_path": "/tmp/wezterm-multi-dev.sock", "alerts.disk_percent": 90,
        "alerts.cpu_percent": 80, "alerts.memory_mb": 1024, "processes.claude_code.restart_policy": "on_failure",
        "processes.claude_code.health_check_interval": 30, "processes.claude_code.max_instances": 1,
        "processes.claude_code.timeout": 300, "supervision.give_up_tries": 3, "supervision.backoff": 5,
        "web.host": "127.0.0.1", "web.port": 8081,
    },
    "quickstart": {
        "web.host": "127.0.0.1", "web.port": 8080, "processes.claude_code.restart_policy": "on_failure",
        "processes.claude_code.health_check_interval": 30, "processes.claude_code.timeout": 30,
        "workspaces.max_processes": 4, "workspaces.default_template": "basic",
        "workspaces.auto_save_interval": 300, "framework.log_level": "info",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", MEANT)
def test_every_key_is_mapped_or_explained(name: str) -> None:
    path = HERE / f"foreign_config_{name}.yaml"
    found = configuration.read(path.read_text(), str(path), {})
    assert [problem.message for problem in (*found.errors, *found.warnings)] == []
    assert {".".join(path) for path in found.origins} == MEANT[name].keys()
    for option, value in MEANT[name].items():
        at: Any = found.settings
        for part in option.split("."):
            at = at[part] if isinstance(at, dict) else getattr(at, part)
        assert at == value, option
    assert all(" is `" in note.message or "has no meaning here: " in note.message for note in found.notes)
