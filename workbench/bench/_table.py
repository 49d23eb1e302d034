"""Figures as a table for people and as plain data for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from workbench import __version__
from workbench.bench._items import Row

PEERS = ("numpy", "scipy", "scikit-learn", "mne", "pyriemann", "meegkit", "numba")


def machine() -> dict[str, str]:
    """The environment of the figures: workbench, Python, processor, cores, peers."""
    environment = {"workbench": __version__, "python": platform.python_version(), "processor": platform.machine()}
    environment["cores"] = str(os.cpu_count())
    for name in PEERS:
        try:
            environment[name] = version(name)
        except PackageNotFoundError:
            environment[name] = "not installed"
    return environment


def as_text(rows: Sequence[Row]) -> str:
    """One line per figure: value, goal, verdict, what it rests on; then the machine."""
    lines = []
    for row in rows:
        item, result = row.item, row.result
        head = f"{item.key:8s} {item.what}, {item.size}"
        if result is None:
            lines.append(f"{head}: not measured, {row.note}")
            continue
        goal = "" if item.goal is None else f"; goal {'≥' if item.sense == '>=' else '≤'} {_number(item.goal)}"
        verdict = "" if row.met is None else ", met" if row.met else f", MISSED by {_short(row):.0%}"
        spread = f" ({_number(result.low)}–{_number(result.high)})" if result.low != result.high else ""
        lines.append(f"{head}: {_number(result.value)} {item.unit}{spread}{goal}{verdict}. {result.detail}")
    about = ", ".join(f"{name} {value}" for name, value in machine().items())
    return "\n".join([*lines, about])


def to_record(rows: Sequence[Row]) -> dict[str, object]:
    """The same as plain data: ``{"machine", "figures"}``."""
    all_figures = []
    for row in rows:
        item, result = row.item, row.result
        figure: dict[str, object] = {
            "key": item.key,
            "what": item.what,
            "size": item.size,
            "unit": item.unit,
            "sense": item.sense,
        }
        figure |= {"goal": item.goal, "met": row.met, "note": row.note, "value": None}
        if result is not None:
            figure |= {"value": result.value, "low": result.low, "high": result.high, "detail": result.detail}
        all_figures.append(figure)
    return {"machine": machine(), "figures": all_figures}


def _short(row: Row) -> float:
    """How far a figure is from its goal, as a share of the goal."""
    assert row.result is not None
    assert row.item.goal is not None
    return abs(row.result.value - row.item.goal) / row.item.goal


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
