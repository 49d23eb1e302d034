"""A system as plain data: what its document, its page and ``workbench systems --json`` show of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from workbench import control
from workbench.stimulation import BOUNDS, RULES, SHARES
from workbench.systems._card_figures import MEASURES, card_figures
from workbench.systems._protocol import forms_of, visits_of
from workbench.systems._register import provenance
from workbench.systems._system import METRICS, Input, System, Task, words

METRIC_TITLES = {
    "f1": words("event F1", "事件 F1"),
    "recall": words("recall", "召回率"),
    "precision": words("precision", "精确率"),
    "false_per_min": words("false activations a minute", "每分钟误触发次数"),
    "onset_s": words("latency of the onset", "起始潜伏期"),
    "release_s": words("latency of the release", "释放潜伏期"),
    "held_s": words("time held", "保持时间"),
    "accuracy": words("accuracy", "准确率"),
    "time_to_target_s": words("time to the target", "到达目标的时间"),
    "path_efficiency": words("path efficiency", "路径效率"),
    "selections_per_min": words("selections a minute", "每分钟选择次数"),
    "bits_per_min": words("bits a minute", "每分钟比特数"),
    "rmse": words("root mean square error", "均方根误差"),
    "r_squared": words("R²", "R²"),
    "in_band": words("time within the band", "目标带内时间"),
}
"""What people call the measures of online runs."""


def described(system: System) -> dict[str, Any]:
    """What a system is made of, as JSON has it; texts that have two languages are messages.

    Parameters
    ----------
    system : of the register, or one's own.

    Returns
    -------
    dict
        Provenance and title; ``inputs``, ``tasks``, ``procedures``, ``effector`` with ``effector_title`` and
        ``limits`` (None without one), ``stimulation`` (None without), ``checks``; ``visits``, ``forms``,
        ``endpoints``, ``metrics`` of online runs among them, ``planned``, ``price_items``; ``simulated``,
        ``figure`` of its card (None without one), ``published``, ``not_supplied``, ``out_of_scope``. Times in s,
        days from the first session, rates in Hz; an upper limit of 0 is none.
    """
    return {
        **provenance(system),
        "title": system.title,
        "inputs": [_input(one) for one in system.inputs],
        "tasks": [_task(one) for one in system.tasks],
        "procedures": list(system.procedures),
        **_effector(system),
        "stimulation": _stimulation(system),
        "checks": list(system.checks),
        **_protocol(system),
        "simulated": "" if system.simulator is None else system.simulator.source,
        "figure": _figure(system.name),
        "published": system.published,
        "not_supplied": list(system.not_supplied),
        "out_of_scope": list(system.out_of_scope),
    }


def _figure(name: str) -> dict[str, Any] | None:
    kept = card_figures().get(name)
    return None if kept is None else {**asdict(kept), "measure": MEASURES[kept.measure]}


def _protocol(system: System) -> dict[str, Any]:
    return {
        "visits": [
            {
                "name": one.name, "day": one.day, "earliest": one.earliest, "latest": one.latest,
                "forms": list(one.forms), "sessions": [kind.procedure for kind in one.sessions],
            }
            for one in visits_of(system)
        ],
        "forms": [
            {
                "name": one.name, "title": one.title, "measure": one.measure, "state": one.state,
                "items": [{"name": item.name, "label": item.label, "unit": item.unit} for item in one.items],
            }
            for one in forms_of(system)
        ],
        "endpoints": list(system.endpoints),
        "metrics": [
            {"name": name, "title": METRIC_TITLES[name]} for name in system.endpoints if name in METRICS
        ],
        "planned": [
            {
                "name": one.name, "title": one.title, "role": one.role, "measured_by": list(one.measured_by),
                "variable": one.variable, "summary": one.summary,
            }
            for one in system.planned
        ],
        "price_items": [
            {
                "name": one.name, "title": one.title, "kind": one.kind, "per": one.per,
                "rules": [asdict(rule) for rule in one.rules],
            }
            for one in system.price_items
        ],
    }  # fmt: skip


def _input(one: Input) -> dict[str, Any]:
    return {
        "role": one.role, "kind": one.kind, "critical": one.critical, "words": one.words, "unit": one.unit,
        "least_channels": one.at_least_channels, "most_channels": one.at_most_channels,
        "least_hz": one.at_least_hz, "most_hz": one.at_most_hz,
    }  # fmt: skip


def _task(one: Task) -> dict[str, Any]:
    return {
        "name": one.name, "title": one.title, "paradigm": one.paradigm, "decoder": one.decoder,
        "law": None if one.law is None else asdict(one.law), "trials": list(one.trials),
    }  # fmt: skip


def _stimulation(system: System) -> dict[str, Any] | None:
    """The usual programme of a system that stimulates, and the example of limits of each of its electrodes."""
    if system.stimulation is None:
        return None
    programme, example = system.stimulation.programme, system.stimulation.example
    return {
        "programme": programme.name,
        "needs_support": programme.needs_support,
        "channels": [
            {
                "name": one.name, "electrode": one.electrode, "current_ma": one.approved_ma,
                "width_us": one.width_us, "rate_hz": one.rate_hz,
            }
            for one in programme.channels
        ],
        "electrodes": [
            {"electrode": one.electrode, "title": one.title, "version": one.version, "limits": _bounds(one.limits)}
            for one in example
        ],
    }  # fmt: skip


def _bounds(limits: Mapping[str, float]) -> list[dict[str, Any]]:
    """Limits of an electrode in words; a share is told in per cent, whatever the unit of what it is a share of."""
    told = []
    for name, value in limits.items():
        bound = BOUNDS[name]
        title, unit = RULES[bound.quantity]
        share = SHARES.get(name)
        value, unit = (value, unit) if share is None else (100.0 * value, share)
        told.append({"name": name, "title": title, "value": value, "unit": unit, "least": bound.least})
    return told


def _effector(system: System) -> dict[str, Any]:
    if system.effector is None:
        return {"effector": None, "effector_title": "", "limits": None}
    profile = control.load(system.effector)
    limits = system.limits or control.profile_limits(profile)
    return {
        "effector": system.effector,
        "effector_title": profile.title or profile.name,
        "limits": {
            "level_max": limits.level_max, "hold_limit_s": limits.hold_limit_s, "dose_s": limits.dose_s,
            "refractory_s": profile.refractory_s, "ttl_s": profile.ttl_ms / 1000.0,
        },
    }  # fmt: skip
