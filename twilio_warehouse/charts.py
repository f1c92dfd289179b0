"""Charts as SVG; the page's style sheet colours them, for light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any

import matplotlib
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from twilio_warehouse.queries import Chart

# Text stays text, and text of customers is not parsed as a formula.
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "report", "text.parse_math": False}
STYLE |= {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}
# Stand-ins for the colours of the style sheet: `#c0ffNN` becomes `var(--cNN)`.
TEXT_COLOUR, GRID_COLOUR = "#c0ff00", "#c0ff01"
STATUS_COLOURS = {
    "delivered": "#c0ff10",
    "received": "#c0ff11",
    "failed": "#c0ff12",
    "other": "#c0ff13",
}
SERIES_COLOURS = [f"#c0ff2{number}" for number in range(8)]
# The width of a phone; wide screens show two charts in a row.
WIDTH, DPI = 5.0, 72


def draw(chart: Chart, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return the chart of a table's rows as SVG."""
    index = {name: number for number, name in enumerate(columns)}
    x = [row[index[chart.x]] for row in rows]
    values = {name: [float(row[index[name]] or 0) for row in rows] for name in chart.values}
    shown = {name: found for name, found in values.items() if any(found)} or values
    label = chart.label.format(**dict(zip(columns, rows[0], strict=True)))
    # Nobody has half a message.
    whole = all(isinstance(row[index[name]], int | None) for row in rows for name in chart.values)
    with matplotlib.rc_context(STYLE):
        if isinstance(x[0], date):
            return as_svg(vertical_bars(x, shown, label, whole), label)
        return as_svg(horizontal_bars([str(name) for name in x], shown, label, whole), label)


def vertical_bars(
    days: list[date], values: dict[str, list[float]], label: str, whole: bool
) -> Figure:
    """Return a stack of values for each day or month, the newest on the right."""
    figure = Figure(figsize=(WIDTH, 3.6), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    months = all(day.day == 1 for day in days) and len(days) > 1
    above, below = [0.0] * len(days), [0.0] * len(days)
    for number, (name, found) in enumerate(values.items()):
        base = [above[i] if value >= 0 else below[i] for i, value in enumerate(found)]
        colour = STATUS_COLOURS.get(name) or SERIES_COLOURS[number % len(SERIES_COLOURS)]
        # Matplotlib takes dates, which its types do not say.
        at: Any = days
        axes.bar(at, found, 25 if months else 0.9, base, color=colour, label=name)
        above = [a + max(value, 0) for a, value in zip(above, found, strict=True)]
        below = [b + min(value, 0) for b, value in zip(below, found, strict=True)]
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=6))
    axes.xaxis.set_major_formatter(DateFormatter("%Y-%m" if months else "%m-%d"))
    style(figure, axes, label, "y", whole)
    in_line = len(values) if len(values) < 5 else 3
    place = {"loc": "outside upper left", "ncols": in_line, "columnspacing": 1.2}
    figure.legend(**place, frameon=False, labelcolor=TEXT_COLOUR, handlelength=0.8)
    return figure


def horizontal_bars(
    names: list[str], values: dict[str, list[float]], label: str, whole: bool
) -> Figure:
    """Return a bar for each name, the first on top, with its number beside it."""
    figure = Figure(figsize=(WIDTH, 0.7 + 0.36 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    [found] = values.values()
    cut = [name if len(name) < 30 else f"{name[:28]}..." for name in names]
    places = range(len(names))
    bars = axes.barh(places, found, 0.7, color=SERIES_COLOURS[0])
    axes.bar_label(bars, [f"{value:,.0f}" for value in found], padding=4, color=TEXT_COLOUR)
    axes.set_yticks(places, cut)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    style(figure, axes, label, "x", whole)
    return figure


def style(figure: Figure, axes: Any, label: str, number_axis: str, whole: bool) -> None:
    """Set the colours of a chart, and the grid and label of its axis of numbers."""
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis=number_axis, color=GRID_COLOUR, linewidth=0.8)
    axes.tick_params(colors=TEXT_COLOUR, length=0)
    for spine in axes.spines.values():
        spine.set_color(GRID_COLOUR)
    number = axes.yaxis if number_axis == "y" else axes.xaxis
    number.set_major_locator(MaxNLocator(4, integer=whole))
    number.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    number.set_label_text(label, color=TEXT_COLOUR)


def tick(value: float) -> str:
    """Return the number at a tick, with decimals only if it has any."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def as_svg(figure: Figure, label: str) -> str:
    """Return a figure as an element of a page."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=nothing)
    svg = file.getvalue()
    svg = re.sub(r"(?s)^.*?(?=<svg)|<metadata>.*?</metadata>| xmlns(:\w+)?=\"[^\"]*\"", "", svg)
    # Ids must be unique in the page with all charts; only paths need theirs.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"#c0ff(\d\d)", r"var(--c\1)", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
