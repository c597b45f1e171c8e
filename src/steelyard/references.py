"""What a run is to cite: keys of `references.bib`, found in what its configuration names."""

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1] / "references.bib"
INSTALLED = HERE / "references.bib"
ENTRY = re.compile(r"^@\w+\{(?P<key>[^,]+),\n.*?^\}$", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", re.MULTILINE)
KEY = re.compile(r"\b[a-z]+(?:19|20)\d\d[a-z]\w*\b")  # lecun1998gradient
FILE = "path"  # the field of a data set's entry that says by what file it is known


def bibliography() -> dict[str, str]:
    """Returns the entries of `references.bib`, as BibTeX, by key; none where there is no file."""
    path = CHECKOUT if CHECKOUT.is_file() else INSTALLED
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return {entry["key"]: entry[0] for entry in ENTRY.finditer(text)}


def fields_of(entry: str) -> dict[str, str]:
    """Returns the fields of an entry, as TeX writes them."""
    return dict(FIELD.findall(entry))


def keys_of(settings: Mapping[str, Any]) -> list[str]:
    """Returns the keys of what a configuration uses, in order.

    A weighting has its paper, and so has one that it holds; other parts name keys in their
    docstrings; and a published table is known by its file.
    """
    found: set[str] = set()
    for name in values_of("_target_", settings):
        part = _class_of(name)
        paper = getattr(part, "paper", None)
        found |= {paper} if isinstance(paper, str) else set(KEY.findall(part.__doc__ or ""))
    files = set(values_of("path", settings.get("data", {})))
    entries = bibliography().items()
    return sorted(found | {key for key, entry in entries if fields_of(entry).get(FILE) in files})


def values_of(key: str, node: Any) -> Iterator[str]:
    """Yields what stands under a key, wherever it is in a configuration."""
    if isinstance(node, Mapping):
        if key in node:
            yield str(node[key])
        for value in node.values():
            yield from values_of(key, value)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for value in node:
            yield from values_of(key, value)


def _class_of(target: str) -> Any:
    """Returns a class of ours; none for one of Keras's, which is not imported for this."""
    module, _, name = target.rpartition(".")
    is_ours = module.startswith("steelyard.")
    return getattr(importlib.import_module(module), name) if is_ours else None
