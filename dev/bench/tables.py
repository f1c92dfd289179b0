"""Figures as Markdown tables, and the page that holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from dev.bench.measuring import Run, Runs


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    lines += ["| " + " | ".join(map(format_cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def format_cell(value: Any) -> str:
    """Return a value as text of a table."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def median_of(runs: Iterable[Run], figure: Callable[[Run], float]) -> float:
    """Return the median of a figure."""
    return float(median(map(figure, runs)))


def ratio(runs: Runs, name: str, to: str, figure: Callable[[Run], float]) -> float | None:
    """Return the median of the ratios of a figure in runs of the same turn."""
    if name == to or to not in runs:
        return None
    pairs = zip(runs[name], runs[to], strict=True)
    # The net CPU time of very few records can be zero.
    ratios = [figure(one) / figure(other) for one, other in pairs if figure(other) > 0]
    return float(median(ratios)) if ratios else None


HEADS = ("candidate", "records", "missing", "requests", "429", "wall s", "sandbox CPU/wall")


def common(runs: list[Run]) -> list[Any]:
    """Return the cells that every table begins with. Counts are those of the last run."""
    last = runs[-1]
    failed = f" (exit {last.code})" if last.code else ""
    share = median_of(runs, lambda one: one.sandbox_cpu_seconds / one.seconds)
    return [
        last.name + failed,
        last.records,
        last.missing,
        len(last.requests),
        last.rate_limited,
        median_of(runs, lambda one: one.seconds),
        f"{share:.0%}",
    ]


def write(text: str, name: str, figures: str) -> str:
    """Return a page with the figures between the markers of that name, if it has them."""
    marks = re.compile(rf"(<!-- bench {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}\n{figures}\n\n{found[2]}", text)
