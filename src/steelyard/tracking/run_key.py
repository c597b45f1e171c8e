"""What makes a run that run: its configuration, its data, and the code that decides its numbers."""

import ast
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "steelyard"
SOURCE = Path(__file__).parents[1]
BESIDE = ("study", "tracker", "output", "sweep_id")  # keys that decide no number
ROOMS = ("arrays", "task", "data", "models", "weighting", "training")  # ... and rooms that do
ALWAYS = ("steelyard.training.pipeline",)


def run_key(config: Mapping[str, Any], fingerprint: str) -> str:
    """Returns the key of a run: 16 hexadecimal digits.

    Args:
        config: The resolved configuration, as plain containers.
        fingerprint: What its examples depend on beside configuration and code.
    """
    told = _as_floats({name: value for name, value in config.items() if name not in BESIDE})
    code = {name: _digest(name) for name in sorted(modules_of(told))}
    whole = json.dumps([told, fingerprint, code], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _as_floats(node: Any) -> Any:
    """Returns a configuration in which 1 and 1.0 are the same number."""
    if isinstance(node, Mapping):
        return {name: _as_floats(value) for name, value in node.items()}
    if isinstance(node, list | tuple):
        return [_as_floats(value) for value in node]
    is_whole = isinstance(node, int) and not isinstance(node, bool)
    return float(node) if is_whole and float(node) == node else node


def modules_of(config: Mapping[str, Any]) -> set[str]:
    """Returns the modules that decide a run's numbers: those it names, and what they import."""
    found: set[str] = set()
    waiting = [*ALWAYS, *(target.rpartition(".")[0] for target in _targets(config))]
    while waiting:
        module = waiting.pop()
        if module in found or _path(module) is None:
            continue
        found.add(module)
        waiting.extend(_imports(module))
    return found


def _targets(node: Any) -> Iterator[str]:
    """Yields every `_target_` in a configuration."""
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield str(node["_target_"])
        for value in node.values():
            yield from _targets(value)


def _path(module: str) -> Path | None:
    """Returns the file of a module in one of the rooms that decide numbers."""
    parts = module.split(".")
    if parts[0] != PACKAGE or len(parts) == 1 or parts[1] not in ROOMS:
        return None
    path = SOURCE.joinpath(*parts[1:]).with_suffix(".py")
    return path if path.is_file() else None


_parsing = threading.Lock()  # Python 3.11's parser counts its depth for all threads together


@cache
def _tree(module: str) -> ast.Module:
    path = _path(module)
    assert path is not None, module
    with _parsing:
        return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Returns what a module imports, names within packages tried as modules too."""
    names: list[str] = []
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


@cache
def _digest(module: str) -> str:
    """Returns the hash of a module's syntax, without its comments and docstrings."""
    return hashlib.sha256(json.dumps(_plain(_tree(module))).encode()).hexdigest()


def _plain(node: Any) -> Any:
    """Returns a syntax tree as lists, the same for every version of Python that can parse it."""
    if isinstance(node, ast.AST):
        fields = []
        for name, value in ast.iter_fields(node):
            kept = _without_docstring(value) if name == "body" else value
            if kept not in (None, []):  # newer versions add fields that are empty in older code
                fields.append([name, _plain(kept)])
        return [type(node).__name__, fields]
    if isinstance(node, list):
        return [_plain(each) for each in node]
    return repr(node)


def _without_docstring(body: Any) -> Any:
    if not (isinstance(body, list) and body and isinstance(body[0], ast.Expr)):
        return body
    value = body[0].value
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return body[1:] if is_text else body
