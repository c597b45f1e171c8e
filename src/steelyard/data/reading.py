"""A file's bytes to a table, and what is wrong with a file told before it costs an hour."""

import csv
import io
from collections import Counter
from functools import partial

import pandas as pd

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
HEADER_ROW = 1  # as a spreadsheet counts


def parse(content: bytes, path: str, separator: str, *, is_raw: bool = False) -> pd.DataFrame:
    """Returns the table that a file's bytes hold, its rows counted as a spreadsheet counts.

    Args:
        content: The bytes.
        path: Whose ending says what they are: `.parquet`, `.tsv`, or else text with separators.
        separator: What stands between two columns of text.
        is_raw: Whether fields of text stay as they are written: what a column seems to hold can
            differ from file to file, and `01` is not `1`.

    Raises:
        ValueError: They hold no table, or it is not what the arguments say.
    """
    if path.endswith(".parquet"):
        read = partial(pd.read_parquet, io.BytesIO(content))
    else:
        text = _decoded(content, path)
        separator = "\t" if path.endswith(".tsv") else separator
        _check_header(text, path, separator)
        kind = str if is_raw else None
        read = partial(pd.read_csv, io.StringIO(text), sep=separator, low_memory=False, dtype=kind)
    try:
        table: pd.DataFrame = read()
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"`{path}` must hold a table, got an empty file.") from error
    except (OSError, ValueError) as error:  # pandas' and Arrow's own are ValueErrors
        reason = " ".join(str(error).split())
        raise ValueError(f"`{path}` must be a readable table, got an error: {reason}.") from error
    if not path.endswith(".parquet") and not isinstance(table.index, pd.RangeIndex):
        raise ValueError(
            f"`{path}` must have a name in its header for each field of a row, got fewer."
        )
    table.index = pd.RangeIndex(HEADER_ROW + 1, HEADER_ROW + 1 + len(table))
    return table


def _decoded(content: bytes, path: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"`{path}` must be UTF-8 text, got the byte 0x{content[error.start]:02x} in line "
            f"{line}; it may be cp1252: save it as UTF-8."
        ) from error


def _check_header(text: str, path: str, separator: str) -> None:
    """Refuses a header that another separator cuts, or in which a name stands twice."""
    first = text[: text.find("\n") + 1 or len(text)]
    try:
        names = next(csv.reader([first.strip("\r\n")], delimiter=separator), [])
    except csv.Error as error:
        raise ValueError(f"`{path}` must be a readable table, got an error: {error}.") from error
    if len(names) == 1:
        other = max(SEPARATORS, key=first.count)
        if other != separator and first.count(other):
            raise ValueError(
                f"`separator` must be what stands between the columns of {path!r}, got "
                f"{separator!r}; its header looks like {other!r} ({SEPARATORS[other]})."
            )
    doubled = [name for name, n in Counter(names).items() if n > 1 and name]
    if doubled:
        raise ValueError(f"`{path}` must have a column once, got {doubled[0]!r} more than once.")
