"""A report as one page that needs no other file, and files that are whole once they are there."""

import base64
import re
from importlib.resources import files
from pathlib import Path

import markdown
from jinja2 import Environment, StrictUndefined

TEMPLATES = files("steelyard.analysis") / "templates"
PICTURE = re.compile(r'<img alt="([^"]*)" src="(figures/[^"]+)\.png" ?/?>')


def page(text: str, folder: Path, title: str) -> str:
    """Returns a report as one page that needs no other file.

    A figure whose points tell what they are is drawn in the page; any other is a picture.
    """
    body = markdown.markdown(text, extensions=["tables", "fenced_code"])

    def embedded(match: re.Match[str]) -> str:
        alt, name = match[1], match[2]
        drawing = folder / f"{name}.svg"
        if drawing.is_file():
            told = drawing.read_text(encoding="utf-8").strip()
            told = told.replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)
            return f'<span class="figure">{told}</span>'
        content = base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
        return f'<img alt="{alt}" src="data:image/png;base64,{content}">'

    body = PICTURE.sub(embedded, body)
    body = body.replace("<table>", '<div class="table"><table>').replace(
        "</table>", "</table></div>"
    )
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(
        (TEMPLATES / "report.html.j2").read_text(encoding="utf-8")
    )
    return template.render(title=f"steelyard: {title}", body=body) + "\n"


def write_text(path: Path, text: str) -> None:
    """Writes a file under another name first."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
