"""Figures as a table for people and as plain data for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

from workbench import __version__
from workbench.bench._items import Row

PEERS = (
    "numpy", "scipy", "scikit-learn", "mne", "pyriemann", "meegkit", "numba", "pylsl", "mne-lsl", "ezmsg-lsl",
    "ezmsg-sigproc",
)  # fmt: skip


def machine() -> dict[str, str]:
    """The environment of the figures: workbench, Python, processor, cores and their load, peers."""
    environment = {"workbench": __version__, "python": platform.python_version(), "processor": platform.machine()}
    environment["cores"] = str(os.cpu_count())
    # Load average of five minutes: above the number of cores, other programs competed.
    if hasattr(os, "getloadavg"):
        environment["load"] = f"{os.getloadavg()[1]:.1f}"
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
        goal = f"; goal {_goal(row)}" if _goal(row) else ""
        lines.append(f"{head}: {_value(row)}{goal}. {result.detail}")
    return "\n".join([*lines, _machine_line()])


HEAD = """# Performance

Figures that `workbench bench KEY … --markdown` printed; each is taken in one run on one computer, beside its peer.
How each is measured stands before its table.
"""


def as_markdown(rows: Sequence[Row], methods: Mapping[str, str]) -> str:
    """A page: for each key how it is measured, and a table of its figures; then the machine.

    ``methods`` : text by key; equal texts stand once.
    """
    parts = [HEAD]
    for method in dict.fromkeys(methods[row.item.key] for row in rows):
        parts += [method, "", "| figure | size | value | goal | rests on |", "|---|---|---|---|---|"]
        for row in rows:
            if methods[row.item.key] == method:
                value, rests_on = (
                    ("not measured", row.note) if row.result is None else (_value(row), row.result.detail)
                )
                parts.append(f"| {row.item.what} | {row.item.size} | {value} | {_goal(row)} | {rests_on} |")
        parts.append("")
    return "\n".join([*parts, f"Measured with {_machine_line()}."])


def _machine_line() -> str:
    return ", ".join(f"{name} {value}" for name, value in machine().items())


def _value(row: Row) -> str:
    """The figure with its unit and spread."""
    assert row.result is not None
    result = row.result
    spread = f" ({_number(result.low)}–{_number(result.high)})" if result.low != result.high else ""
    return f"{_number(result.value)} {row.item.unit}{spread}"


def _goal(row: Row) -> str:
    """The goal with its verdict; empty without one."""
    item = row.item
    if item.goal is None:
        return ""
    verdict = ""
    if row.met is not None:
        # No share can be given of a goal of 0.
        by = f" by {_short(row):.0%}" if item.goal and not row.met else ""
        verdict = ", met" if row.met else f", MISSED{by}"
    return f"{'≥' if item.sense == '>=' else '≤'} {_number(item.goal)}{verdict}"


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
