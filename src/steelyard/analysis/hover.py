"""A figure as SVG whose points tell, under the pointer, what they are."""

import io
import re
from collections.abc import Mapping
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Text stays text: small, and can be searched.
STYLE: dict[Any, Any] = {"svg.fonttype": "none", "font.family": "sans-serif"}
SIZE = re.compile(r' (width|height)="[\d.]+pt"')


def as_svg(figure: Figure, titles: Mapping[str, str], name: str) -> str:
    """Returns a figure as the text of an `svg` element.

    Args:
        figure: The figure; an artist with a `gid` of `titles` gets its text as a tooltip.
        titles: Texts by `gid`.
        name: Of the figure; two on one page must not share the names of their parts.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = SIZE.sub("", text[text.index("<svg") :], count=2)  # as wide as the page lets it be
    for gid, title in titles.items():
        mark = f'<g id="{escape(gid)}">'
        text = text.replace(mark, f"{mark}<title>{escape(title)}</title>")
    return text.strip()
