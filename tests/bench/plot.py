"""The chart beside the tables: the cost of a chunk for each client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from .columns import Column
from .measures import Results

_PANELS = (("at 64", "64 chunks at a time"), ("at 1", "chunks one by one"))
_OURS, _THEIRS = "#1f6feb", "#b8bec6"


def draw(path: Path, columns: Sequence[Column], medians: Mapping[str, Results]) -> None:
    """Write the chart as SVG; equal numbers give equal bytes."""
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("svg")
    pyplot: Any = import_module("matplotlib.pyplot")
    shown = [column for column in columns if "at 64" in medians[column.name]][::-1]
    with pyplot.rc_context({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = pyplot.subplots(
            1, len(_PANELS), sharey=True, figsize=(9, 0.6 + 0.28 * len(shown)), layout="constrained"
        )
        for axis, (measure, title) in zip(axes, _PANELS, strict=True):
            values = [medians[column.name][measure] for column in shown]
            bars = axis.barh(
                [f"{column.title} ({column.kind})" for column in shown],
                values,
                color=[_OURS if column.is_sdk else _THEIRS for column in shown],
            )
            axis.bar_label(bars, fmt="%.1f", padding=3)
            axis.set_xscale("log")
            axis.set_xlim(1, max(values) * 2.5)
            axis.set_title(f"CPU per chunk, {title} (µs, log scale)", fontsize=9)
            axis.spines[["top", "right"]].set_visible(False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})
        pyplot.close(figure)
