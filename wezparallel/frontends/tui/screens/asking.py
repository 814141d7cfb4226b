"""Small boxes over the dashboard: a question, a line to type, a list to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from wezparallel.client import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

_WIDEST = 58  # columns within a box; what stands in style.tcss, less its frame


class Confirm(ModalScreen[bool]):
    """A question with two answers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("y,enter", "answer(True)", "yes"),
        ("n,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Draw it."""
        with Vertical(classes="box"):
            yield Static(Content(self._question))
            yield Static("y yes · n no", classes="hint")

    def action_answer(self, answer: bool) -> None:
        """Go with it."""
        self.dismiss(answer)


class Line(ModalScreen[str | None]):
    """A line to type; None if nothing is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "leave")]

    def __init__(self, title: str, said: str, hint: str) -> None:
        super().__init__()
        self._title, self._said, self._hint = title, said, hint

    def compose(self) -> ComposeResult:
        """Draw it."""
        with Vertical(classes="box") as box:
            box.border_title = Content(text.clean(self._title))
            if self._said:
                yield Static(Content(self._said))
            yield Input()
            yield Static(Content(self._hint), classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go with what was typed."""
        event.stop()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Go without."""
        self.dismiss(None)


class Choice(ModalScreen[str | None]):
    """One of a list, by its name; None if none is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "leave", "leave"),
        ("j", "move(1)", "down"),
        ("k", "move(-1)", "up"),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str]]) -> None:
        """`options`: names, and what is said of each."""
        super().__init__()
        self._title, self._options = title, options

    def compose(self) -> ComposeResult:
        """Draw it."""
        width = min(_WIDEST, self.app.size.width - 6)
        widest = max((len(name) for name, _ in self._options), default=0)
        with Vertical(classes="box") as box:
            box.border_title = Content(text.clean(self._title))
            yield OptionList(
                *(Option(Content(text.cut_end(f"{name:<{widest}}  {said}", width))) for name, said in self._options)
            )
            yield Static("enter takes it · esc none", classes="hint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go with it."""
        event.stop()
        self.dismiss(self._options[event.option_index][0])

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_leave(self) -> None:
        """Go without."""
        self.dismiss(None)
