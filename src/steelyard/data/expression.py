"""Formulas over the columns of a table: arithmetic, comparisons, a few functions, no more."""

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.column import as_labels, as_numbers

QUOTED = re.compile(r"`([^`]+)`")
ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
OF_NUMBERS = {"abs": np.abs, "exp": np.exp, "log": np.log, "sqrt": np.sqrt}
OF_LEVELS = ("rank", "isin")
OF_TEXT = "length"
ALLOWED = "columns, numbers, + - * / **, one comparison, abs, exp, log, sqrt, length, rank and isin"


@dataclass(frozen=True)
class Expression:
    """A formula that makes a column of others.

    `x * y * z`; `log(price)`; `cut == "Ideal"` (1 or 0, missing where the column is);
    `rank(color, "J", "I", "H")` (0, 1, 2, and missing for another level); `isin(dx, "mel", "bcc")`;
    `length(title)` (characters, missing where the column is).
    A column whose name is no Python name stands between backticks.

    Attributes:
        name: Of the knob that holds it, which errors name.
        text: The formula.

    Raises:
        ValueError: It is none.
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        tree = self._tree()
        texts = {id(each) for node in ast.walk(tree) for each in _texts_of(node)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in texts:  # a text is nothing to reckon with
                raise self._refusal()
            self._check(node)
        if not self.columns:
            raise self._refusal()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is made of."""
        tree = self._tree()
        functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        names = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and id(node) not in functions
        ]
        names.sort(key=lambda node: node.col_offset)
        return tuple(dict.fromkeys(self._column(node.id) for node in names))

    def of(self, table: pd.DataFrame) -> pd.Series:
        """Returns the column.

        Raises:
            ValueError: The table lacks a column of it, or a value that must be a number is none.
        """
        for column in self.columns:
            if column not in table:
                raise ValueError(
                    f"`{self.name}` must use columns of the table "
                    f"({', '.join(map(str, table.columns))}), got {column!r}."
                )
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            values = self._value(self._tree(), table)
        found = pd.Series(values, index=table.index, dtype="float64")
        return found.replace([np.inf, -np.inf], np.nan)  # x / 0 and log(0) are not known

    def _tree(self) -> ast.expr:
        plain = QUOTED.sub(lambda match: f"_{match[1].encode().hex()}_", self.text)
        try:
            return ast.parse(plain.strip(), mode="eval").body
        except SyntaxError as error:
            raise self._refusal() from error

    def _column(self, identifier: str) -> str:
        quoted = {f"_{name.encode().hex()}_": name for name in QUOTED.findall(self.text)}
        return quoted.get(identifier, identifier)

    def _check(self, node: ast.AST) -> None:
        is_fine = isinstance(node, ast.Name | ast.BinOp | ast.UnaryOp | ast.USub | ast.Load)
        is_fine |= type(node) in ARITHMETIC or type(node) in COMPARISONS
        is_fine |= isinstance(node, ast.Constant) and type(node.value) in (int, float, str)
        is_fine |= isinstance(node, ast.Compare) and len(node.ops) == 1
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            n = len(node.args)
            is_fine |= node.func.id in OF_NUMBERS and n == 1
            is_fine |= node.func.id == OF_TEXT and n == 1 and isinstance(node.args[0], ast.Name)
            rest = all(isinstance(each, ast.Constant) for each in node.args[1:])
            is_fine |= node.func.id in OF_LEVELS and n > 1 and rest
        if not is_fine:
            raise self._refusal()

    def _refusal(self) -> ValueError:
        return ValueError(f"`{self.name}` must be a formula of {ALLOWED}, got {self.text!r}.")

    def _value(self, node: ast.expr, table: pd.DataFrame) -> Any:
        found: Any
        match node:
            case ast.Constant(value=int(value) | float(value)):
                found = np.float64(value)  # NumPy's, which gives inf where Python stops
            case ast.Name():
                column = self._column(node.id)
                found = as_numbers(column, table[column])
            case ast.UnaryOp():
                found = -self._value(node.operand, table)
            case ast.BinOp():
                sides = (self._value(each, table) for each in (node.left, node.right))
                found = ARITHMETIC[type(node.op)](*sides)
            case ast.Compare():
                found = self._compared(node, table)
            case ast.Call(func=ast.Name(id=name)) if name in OF_NUMBERS:
                found = OF_NUMBERS[name](self._value(node.args[0], table))
            case ast.Call(func=ast.Name(id=name)) if name == OF_TEXT:
                given = self._labels(node.args[0], table)
                found = given.map(len, na_action="ignore").astype("float64")
            case ast.Call(func=ast.Name(id=name)):
                found = self._of_levels(name, node.args, table)
            case _:
                raise self._refusal()
        return found

    def _of_levels(self, name: str, arguments: list[ast.expr], table: pd.DataFrame) -> Any:
        given = self._labels(arguments[0], table)
        rest = [each for each in arguments[1:] if isinstance(each, ast.Constant)]
        levels = [str(each.value) for each in rest]
        if name == "rank":
            return given.map({level: n for n, level in enumerate(levels)})
        return given.isin(levels).astype("float64").where(given.notna())

    def _compared(self, node: ast.Compare, table: pd.DataFrame) -> Any:
        other = node.comparators[0]
        if isinstance(other, ast.Constant) and isinstance(other.value, str):
            given: Any = self._labels(node.left, table)
            is_known, bound = given.notna(), other.value
        else:
            given, bound = self._value(node.left, table), self._value(other, table)
            is_known = ~(np.isnan(given) | np.isnan(bound))
        found = COMPARISONS[type(node.ops[0])](given, bound)
        return np.where(is_known, found, np.nan)

    def _labels(self, node: ast.expr, table: pd.DataFrame) -> pd.Series:
        if not isinstance(node, ast.Name):
            raise self._refusal()
        return as_labels(table[self._column(node.id)])


def _texts_of(node: ast.AST) -> list[ast.expr]:
    """Returns the places of a node where a text may stand: what is compared with, and levels."""
    if isinstance(node, ast.Compare):
        return node.comparators
    is_of_levels = isinstance(node, ast.Call) and getattr(node.func, "id", "") in OF_LEVELS
    return node.args[1:] if isinstance(node, ast.Call) and is_of_levels else []
