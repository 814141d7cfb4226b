"""What is said of a request whose fields are wrong."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wezparallel.hub.comms.replies import bad_fields
from wezparallel.protocol.workspace import WorkspaceCreate


@pytest.mark.parametrize("name", ["a/b", "", "-x", "n" * 65, "a\nb", "a\u202eb"])
def test_what_cannot_be_a_name_is_told_in_words(name: str) -> None:
    with pytest.raises(ValidationError) as raised:
        WorkspaceCreate.model_validate({"name": name, "root": "/"})
    told = bad_fields("WorkspaceCreate", WorkspaceCreate, raised.value)  # type: ignore[arg-type]
    assert (told.code, told.data["field"]) == ("command.bad_value", "name")
    assert told.message.startswith("WorkspaceCreate.name: a name has 1 to 64 characters, no `/`")
