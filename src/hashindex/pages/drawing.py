"""How drawings are made: inline SVG that follows the page's light or dark colours, pictures as PNG."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray

# Colours drawn with here, and the CSS variable of style.css that takes their place in the SVG.
INK, MUTED, LINE, PAPER, FIRST, SECOND = (f"#01020{i}" for i in range(6))
CSS_NAMES = {INK: "ink", MUTED: "muted", LINE: "line", PAPER: "paper", FIRST: "first", SECOND: "second"}
COLOURS = [
    "#4878d0",
    "#ee854a",
    "#4fae5f",
    "#d65f5f",
    "#956cb4",
    "#a5744f",
    "#dc7ec0",
    "#8a8a8a",
    "#b5a430",
    "#35b5c4",
]  # readable on white and on near-black
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may hold a dollar
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def one_axes(height: float) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes, as wide as the text."""
    figure = Figure(figsize=(6.4, height), layout="constrained")
    axes = figure.subplots()
    plain(figure, axes)
    return figure, axes


def plain(figure: Figure, *axes: Axes) -> None:
    """Nothing painted behind the drawing: the page shows through."""
    figure.patch.set_visible(False)
    for one in axes:
        one.patch.set_visible(False)


def svg(figure: Figure, name: str, title: str) -> Markup:
    """The figure as one <svg> element whose ids all begin with ``name``: ids are shared by the whole page."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing, dpi=216)
    drawing = ElementTree.fromstring(buffer.getvalue())
    for element in drawing.iter():  # what is written into the drawing stays as it is
        element.tag = _local(element.tag)
        given, element.attrib = element.attrib, {}
        element.attrib |= {_local(key): _on_page(_local(key), value, name) for key, value in given.items()}
    drawing.attrib.update({"role": "img", "aria-label": title})
    return Markup(ElementTree.tostring(drawing, encoding="unicode"))


def _local(name: str) -> str:
    """Take its namespace off a name: in a page <svg> has none."""
    return name.rpartition("}")[2]


def _on_page(key: str, value: str, name: str) -> str:
    """Return an attribute with ids that begin with ``name``, and CSS variables for colours."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href" and value.startswith("#"):
        return f"#{name}-{value[1:]}"
    value = value.replace("url(#", f"url(#{name}-")
    for colour, css_name in CSS_NAMES.items():
        value = value.replace(colour, f"var(--{css_name})")
    return value


def css(colour: str) -> str:
    """Return what CSS calls a colour that drawings are made with."""
    return f"var(--{CSS_NAMES[colour]})" if colour in CSS_NAMES else colour


def picture(image: NDArray[Any]) -> str:
    """Return an image as the data URI of a PNG.

    (height, width) or (1, height, width) with ink high is drawn dark on white; (3, height, width) is red, green and
    blue. Unsigned integers use their whole range; floats are 0..1, or else are stretched to it.
    """
    values = np.asarray(image, np.float64)
    if image.dtype.kind == "u":
        values = values / np.iinfo(image.dtype).max
    elif values.min() < 0 or values.max() > 1:
        values = (values - values.min()) / max(np.ptp(values), np.finfo(np.float64).tiny)
    buffer = io.BytesIO()
    if values.ndim == 3 and len(values) == 3:
        imsave(buffer, values.transpose(1, 2, 0), format="png")
    else:
        imsave(buffer, values.reshape(values.shape[-2:]), cmap="gray_r", vmin=0, vmax=1, format="png")
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode()
