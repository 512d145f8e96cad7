"""From a drawing to SVG or PNG: the same bytes every time, text as text."""

import io
import re
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from app.reports.figures.drawing import Drawing
from app.reports.figures.palette import LIGHT, VARIABLES, Palette, css_names

DOTS_PER_INCH = 200
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "salience-audit",
    "text.parse_math": False,  # a dollar in a model's name is a dollar
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "figure.constrained_layout.use": True,
}
_NO_DATE: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}


def as_svg(drawing: Drawing) -> bytes:
    """A file of its own, on white."""
    return _saved(drawing, LIGHT, "svg")


def as_png(drawing: Drawing) -> bytes:
    """200 dots an inch, on white."""
    return _saved(drawing, LIGHT, "png")


def inline_svg(drawing: Drawing) -> str:
    """An ``<svg>`` for a page: its colours are the page's variables, and no id of it meets another figure's."""
    text = _saved(drawing, VARIABLES, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style .*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    for attribute in ('id="', "url(#", 'href="#'):
        text = text.replace(attribute, f"{attribute}{drawing.name}-")
    for colour, variable in css_names().items():
        text = text.replace(colour, variable)
    return re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', _opening(drawing), text, count=1, flags=re.DOTALL)


def _opening(drawing: Drawing) -> str:
    label = drawing.alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("\\", "\\\\")
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return rf'<svg {names} viewBox="\1" role="img" aria-label="{label}">'


def _saved(drawing: Drawing, palette: Palette, form: str) -> bytes:
    file = io.BytesIO()
    with mpl.rc_context(_SETTINGS | _coloured(palette)):
        figure = Figure(figsize=drawing.size)
        drawing.draw(figure, palette)
        metadata = _NO_DATE if form == "svg" else {"Software": None}
        figure.savefig(file, format=form, dpi=DOTS_PER_INCH if form == "png" else 72, metadata=metadata)
    return file.getvalue()


def _coloured(palette: Palette) -> dict[Any, Any]:
    ink = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.labelcolor", "ytick.labelcolor"), palette.ink
    )
    lines = dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), palette.muted)
    paper = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), palette.paper)
    return ink | lines | paper | {"grid.color": palette.grid}
