"""Every key in one box."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

# 35 columns at most: so many has the box at 40.
KEYS = """\
↑↓ k j  process above, below
←→ h    workspace before, behind
PgUp PgDn  a page  g G  first, last

enter   go to its pane in WezTerm;
        else attach to it here, and
        ctrl+\\ twice comes back
a       type a line into it
n       the next that needs you
r s     restart or start, stop
l       its log; / searches in it
t       new workspace, from template
/       only what has these words
esc     all again
T       dark, light, 16 colours
q       quit; all goes on running

● works    ◐ starts     ! needs you
○ ended    ‖ suspended  ✗ failed
◌ waits    ◇ a spare

Click chooses, two clicks open."""


class Help(ModalScreen[None]):
    """Shown until any key is pressed that means to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,question_mark,enter,space", "leave", "leave"),
        ("j,down", "scroll(1)", "down"),
        ("k,up", "scroll(-1)", "up"),
    ]

    def compose(self) -> ComposeResult:
        """Draw it."""
        with VerticalScroll(classes="box", id="help") as box:
            box.border_title = "keys"
            box.border_subtitle = "esc closes"
            yield Static(KEYS, markup=False)

    def action_scroll(self, by: int) -> None:
        """Move over what does not fit."""
        box = self.query_one("#help")
        box.scroll_relative(y=by, animate=False)

    def action_leave(self) -> None:
        """Back to the list."""
        self.dismiss(None)
