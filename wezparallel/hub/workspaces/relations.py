"""What the processes of a template wait for: names are looked up, circles refused. Pure.

Above: templates. Below: processes, each by itself.
"""

from __future__ import annotations

from itertools import pairwise

from wezparallel.hub.pool import dependencies
from wezparallel.hub.workspaces.processes import Made
from wezparallel.hub.workspaces.source import Mark, Source, did_you_mean, fold, quoted
from wezparallel.protocol.supervision import Need


def connect(made: list[Made], source: Source) -> None:
    """Give every process what it waits for, by the full names of this template. Raises `template.syntax`."""
    groups: dict[str, list[Made]] = {}
    for one in made:
        for name in {fold(one.written), fold(one.settings.name)}:
            groups.setdefault(name, []).append(one)
    edges: dict[str, dict[str, Mark]] = {}
    for one in made:
        needs: dict[str, Need] = {}
        for name, need, mark in one.depends_on:
            found = groups.get(fold(name))
            if found is None:
                names = list(dict.fromkeys(other.written for other in made if other is not one))
                raise source.error("template.syntax", f"no process is called {quoted(name)}", mark,
                                   did_you_mean(name, names))  # fmt: skip
            if one in found:
                raise source.error(
                    "template.syntax", f"{quoted(name)} waits for itself", mark, "Take its own name out."
                )
            for other in found:
                if other.settings.direct:
                    raise source.error(
                        "template.syntax", f"nobody can wait for {quoted(name)}, which runs in the pane itself", mark,
                        "Take `direct` out there.",
                    )  # fmt: skip
                needs[other.settings.name] = need
                edges.setdefault(one.settings.name, {})[other.settings.name] = mark
        if needs:
            one.settings = one.settings.model_copy(update={"depends_on": needs})
    circle = dependencies.circle(edges)
    if circle:
        marks = [edges[one][other] for one, other in pairwise(circle)]
        listed = " waits for ".join(quoted(name) for name in circle)
        raise source.error("template.syntax", "these processes wait for each other", marks, f"{listed}.")
