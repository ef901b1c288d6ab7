"""What all plots share: colours for colour-blind readers, marks for gray print, names that fit, and the files."""

import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from xml.sax.saxutils import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from PIL import Image

from automl.text.messages import plots as plot_messages

BLUE, ORANGE, GREEN, PINK, GRAY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#666666"
COLOURS = (BLUE, ORANGE, GREEN, PINK, "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's palette (2008), without the yellow, which white paper swallows."""
HATCHES = ("", "///", "...")
LINES = ("-", "--", ":", "-.")
LABEL_CHARACTERS = 24
_ALL_SHOWN: Mapping[str, str] = MappingProxyType({})
_PNG_DPI, _PHOTOGRAPHS_DPI = 110, 80


@dataclass(frozen=True, slots=True)
class Plot:
    """One finished picture.

    Attributes:
        path: The PNG.
        title: What it shows, for its caption and for screen readers.
        svg: The same as lines and text; None for photographs.
    """

    path: Path
    title: str
    svg: Path | None = None


def new_figure(width_in: float, height_in: float, title: str) -> Figure:
    """An empty figure of this size in inches, which makes room for labels by itself."""
    # Laid out as densely as the PNG is drawn, so that no text is measured twice.
    figure = Figure(figsize=(width_in, height_in), dpi=_PNG_DPI, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    figure.suptitle(title, fontsize=11)
    return figure


def place_within(figure: Figure, bottom: float) -> None:
    """Keeps that share of the figure's height, 0-1, free at the bottom."""
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(rect=(0, bottom, 1, 1 - bottom))


def shorten(label: str, n_characters: int = LABEL_CHARACTERS) -> str:
    """A class name that fits on a plot. Wide characters, such as Chinese ones, count as two."""
    if _width(label) <= n_characters:
        return label
    end = len(label)
    while end and _width(label[:end]) > n_characters - 1:
        end -= 1
    return label[:end] + "…"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def name_rows(axes: Axes, names: Sequence[str], size: float) -> None:
    """Names along the y axis, at 0, 1, ..."""
    axes.set_yticks(range(len(names)), names, fontsize=size)
    as_written(axes.get_yticklabels())


def name_columns(axes: Axes, names: Sequence[str], *, size: float, cell_pt: float) -> None:
    """Names along the x axis, at 0, 1, ...: horizontal where each fits its cell, else vertical.

    size: of the letters, in points. cell_pt: width of a cell, in points.
    """
    is_narrow = max(map(_width, names)) * size * 0.75 < cell_pt
    axes.set_xticks(range(len(names)), names, fontsize=size, rotation=0 if is_narrow else 90)
    as_written(axes.get_xticklabels())


def as_written(texts: Sequence[Text]) -> None:
    """Shows `$` as a dollar sign: a class may be called `$x_`, which is no formula."""
    for text in texts:
        text.set_parse_math(False)


def name_lines(figure: Figure, axes: Axes) -> None:
    """A legend of the lines and areas in `axes`, each by its label; Matplotlib leaves out those that begin with `_`."""
    shown = [*axes.lines, *axes.collections]
    numbers = [str(number) for number in range(len(shown))]
    box = figure.legend(shown, numbers, loc="outside lower center", frameon=False, fontsize=8)
    for text, line in zip(box.get_texts(), shown, strict=True):
        text.set_text(str(line.get_label()))
    as_written(box.get_texts())


def clock(longest_s: float) -> tuple[float, str]:
    """Seconds that one unit of a time axis has, and what the axis is called."""
    if longest_s >= 2 * 3600:
        return 3600.0, plot_messages.HOURS_SINCE_START
    return (60.0, plot_messages.MINUTES_SINCE_START) if longest_s >= 180 else (1.0, plot_messages.SECONDS_SINCE_START)


def bare(axes: Axes) -> None:
    """Only the axes that carry numbers keep their lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)


def lay_out(figure: Figure) -> None:
    """Places everything once, so that a second file costs no second layout."""
    engine = figure.get_layout_engine()
    if engine is None:
        return
    n_passes = 1 if all(axes.get_aspect() == "auto" for axes in figure.axes) else 2  # fixed shapes settle in the second
    with any_script():
        for _ in range(n_passes):
            engine.execute(figure)
    figure.set_layout_engine("none")


def save(path: Path, figure: Figure, unshown: Mapping[str, str] = _ALL_SHOWN) -> Plot:
    """Writes the PNG, and an SVG beside it whose text is text. Both are repeatable.

    Args:
        path: Of the PNG.
        figure: What to draw.
        unshown: The class names that no font here can draw, by what the figure has instead of them. In the SVG they
            stand as they are: the browser that shows it has fonts of its own.
    """
    svg, title = path.with_suffix(".svg"), figure.get_suptitle()
    lay_out(figure)
    with any_script(), mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "darkroom"}):
        # `savefig` would draw everything once more for each file, to lay out what is laid out.
        FigureCanvasAgg(figure).print_png(path)  # type: ignore[no-untyped-call]
        about = {"Date": None, "Title": title}
        FigureCanvasSVG(figure).print_svg(svg, metadata=about)  # type: ignore[no-untyped-call]
    if unshown:
        _write_names(svg, unshown)
    return Plot(path, title, svg)


def _write_names(svg: Path, names: Mapping[str, str]) -> None:
    numbers = re.compile("|".join(re.escape(number) for number in sorted(names, key=len, reverse=True)))
    text = svg.read_text(encoding="utf-8")
    svg.write_text(numbers.sub(lambda number: escape(shorten(names[number[0]])), text), encoding="utf-8")


def save_photographs(path: Path, figure: Figure) -> Plot:
    """Writes the PNG alone, in all its colours: as lines and text, photographs would be no sharper."""
    lay_out(figure)
    figure.set_dpi(_PHOTOGRAPHS_DPI)
    canvas = FigureCanvasAgg(figure)
    with any_script():
        canvas.draw()  # type: ignore[no-untyped-call]
    Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3]).save(path)  # type: ignore[no-untyped-call]
    return Plot(path, figure.get_suptitle())


def fit(text: Text, room_px: float, write: Callable[[int], str]) -> None:
    """Gives `text` the longest words of `write` that fit into `room_px`.

    write: the words with names of at most so many characters.
    """
    with any_script():
        for n_characters in range(LABEL_CHARACTERS, 3, -2):
            text.set_text(write(n_characters))
            if text.get_window_extent().width <= room_px:
                return


@contextmanager
def any_script() -> Iterator[None]:
    """Class names may be in any script; a glyph that the font lacks is drawn as a box."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def font_size(n_names: int, inches: float) -> float:
    """Points, 4 to 10, at which `n_names` lines fit into `inches`."""
    return float(np.clip(0.72 * inches * 72 / max(n_names, 1), 4, 10))
