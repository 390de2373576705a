"""Functions of this project as code that stands by itself, with whatever of their modules they name."""

import ast
import inspect
import math
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

from cae_core.runtime.caching import cached

WIDTH = 124
"""Characters of a line, at most."""


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called in the code."""
    return function.__name__.lstrip("_")


@cached(most=256)  # finding a function's source takes milliseconds
def code(*functions: Callable[..., Any]) -> str:
    """Definitions of functions, one line for each that is a single expression, and before them of what they name.

    Numbers, tuples and functions of their modules are written out; `np`, `tf`, `keras` and `math` have to be there.

    Raises:
        ValueError: one is a lambda or made by another function, or names something that cannot be written down.
    """
    written: dict[str, str] = {}
    for function in functions:
        _write(function, written)
    return "\n".join(written.values())


def _write(function: Callable[..., Any], written: dict[str, str]) -> None:
    if name_of(function) in written:
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(tree, ast.FunctionDef) or function.__closure__:
        raise ValueError(f"{function.__qualname__} cannot be written into a script: make it a function of its module.")
    tree = ast.fix_missing_locations(_StandingAlone(function.__globals__, written).visit(tree))
    only = tree.body[0]
    if isinstance(only, ast.Return) and len(line := f"{tree.name} = lambda {ast.unparse(tree.args)}: ") < WIDTH:
        line += ast.unparse(only.value)
        written[tree.name] = line if len(line) <= WIDTH else ast.unparse(tree)
    else:
        written[tree.name] = "\n".join(line for line in ast.unparse(tree).splitlines() if line)


class _StandingAlone(ast.NodeTransformer):
    """Takes out docstrings, imports and annotations, and writes down first what is named from outside."""

    def __init__(self, outside: dict[str, Any], written: dict[str, str]) -> None:
        self.outside, self.written = outside, written

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.returns, node.name = None, node.name.strip("_") if not node.name.endswith("__") else node.name
        for argument in (*node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        return self._without_words(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return self._without_words(node)

    def _without_words(self, node: Any) -> Any:
        words = (ast.Import, ast.ImportFrom)
        node.body = [
            part for part in node.body
            if not isinstance(part, words) and not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        ]  # fmt: skip
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.outside or isinstance(self.outside[node.id], ModuleType):
            return node
        value = self.outside[node.id]
        if getattr(math, node.id, None) is value:
            return ast.Attribute(ast.Name("math", ast.Load()), node.id, ast.Load())
        if inspect.isfunction(value):
            _write(value, self.written)
            return ast.Name(name_of(value), node.ctx)
        if node.id not in self.written:
            self.written[node.id] = f"{node.id} = {self._literal(node.id, value)}"
            self.written[node.id] = self.written.pop(node.id)  # after what it names
        return node

    def _literal(self, name: str, value: Any) -> str:
        if inspect.isfunction(value):
            _write(value, self.written)
            return name_of(value)
        if isinstance(value, tuple):
            parts = [self._literal(name, part) for part in value]
            return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        if not isinstance(value, int | float | str):
            raise ValueError(f"{name} cannot be written into a script: it is a {type(value).__name__}.")
        return repr(value)
