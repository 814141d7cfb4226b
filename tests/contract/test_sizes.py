"""A module over 400 lines is two, a function over 60 hides one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    str(path.relative_to(ROOT))
    for folder in ("wezparallel", "scripts", "benches")
    for path in (ROOT / folder).rglob("*.py")
)
MODULES = sorted([*SOURCES, *(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py"))])
MAX_MODULE = 400
MAX_FUNCTION = 60
LONG_TESTS = 800  # a module of tests mirrors one module of source, and may be longer than it


@pytest.mark.parametrize("path", MODULES)
def test_a_module_is_not_too_long(path: str) -> None:
    limit = LONG_TESTS if path.startswith("tests/") else MAX_MODULE
    assert len((ROOT / path).read_text().splitlines()) <= limit


@pytest.mark.parametrize("path", SOURCES)
def test_a_function_is_not_too_long(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions}
    assert not {name: length for name, length in lengths.items() if length > MAX_FUNCTION}
