"""A small Textual program: says what it was told by keys, the mouse and pastes, and how large it is."""

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Footer, Input, Static


class Dashboard(App[None]):
    """Two buttons, a line to type into, and what happened last."""

    CSS = "#size { background: darkgreen; height: 3; } #said { text-style: bold italic; }"
    BINDINGS = [("ctrl+q", "quit", "Quit")]
    ANIMATION_LEVEL = "none"

    def compose(self) -> ComposeResult:
        yield Static("", id="size")
        yield Static("nothing yet", id="said")
        with Horizontal():
            yield Button("first", id="first")
            yield Button("second", id="second", variant="success")
        yield Input(placeholder="type here", select_on_focus=False)
        yield Footer()

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#size", Static).update(f"{event.size.height} rows, {event.size.width} columns")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.query_one("#said", Static).update(f"pressed {event.button.id}")

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one("#said", Static).update(f"the line is {event.value!r}")


if __name__ == "__main__":
    Dashboard().run()
