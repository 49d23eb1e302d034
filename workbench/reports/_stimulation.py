"""What a session with stimulation was allowed to give, who said so, and the charge that was counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.reports._say import Say, number
from workbench.reports.blocks import Block, Cell, Code, Column, Heading, KeyValue, Para, Table


def stimulation(say: Say) -> list[Block]:
    """Programme, limits in force with their signatures, channels, and the charge of each contact by run."""
    setup, t = say.facts.plan.get("stimulation"), say.t
    if not setup:
        return []
    programme = setup["programme"]
    # A sham is counted as it was asked for: nothing here tells it where the session is blinded.
    mode = (
        t("stim_blinded")
        if setup["blinded"]
        else t("stim_mode_sham" if programme["mode"] == "sham" else "stim_mode_active")
    )
    pairs: list[tuple[str, Cell]] = [
        (t("stim_programme"), str(programme["name"])),
        (t("stim_hash"), Code(str(programme["sha256"]))),
        (t("stim_mode"), mode),
    ]
    pairs += [(t("stim_limits"), _signed(say, one)) for one in setup["limits"]]
    return [Heading(t("stimulation")), KeyValue(tuple(pairs)), _channels(say, programme), *_charge(say, setup)]


def _signed(say: Say, one: Mapping[str, Any]) -> str:
    """``skin-5x5, version 1 (019031b17675), signed by …``."""
    about, people = one["definition"], [f"{s['person']} ({s['role']})" for s in one["signatures"]]
    return say.t(
        "stim_signed", electrode=about["electrode"], version=about["version"], hash=str(one["sha256"])[:12],
        people=say.t("join").join(people),
    )  # fmt: skip


def _channels(say: Say, programme: Mapping[str, Any]) -> Table:
    t = say.t
    rows = tuple(
        (
            str(one["name"]),
            str(one["electrode"]),
            *(f"{float(one[key]):g}" for key in ("approved_ma", "width_us", "rate_hz")),
        )
        for one in programme["channel"]
    )
    columns = (
        Column(t("stim_channel"), 1.6),
        Column(t("stim_electrode"), 1.4),
        *(Column(t(name), 1.0, number=True) for name in ("stim_approved_ma", "stim_width_us", "stim_rate_hz")),
    )
    return Table(columns, rows, t("no_data"))


def _charge(say: Say, setup: Mapping[str, Any]) -> list[Block]:
    """Charge that each contact bore in each run, and before this session on the same day, µC."""
    t = say.t
    runs = [(run, run.row["summary"]["charge_uc"]) for run in say.facts.runs if "charge_uc" in run.row["summary"]]
    unknown = [run for run in say.facts.runs if run.online and "charge_uc" not in run.row["summary"]]
    contacts = list(dict.fromkeys(name for _, charge in runs for name in charge))
    rows = tuple(
        (name, *(number(charge.get(name, 0.0), 1) for _, charge in runs),
         number(sum(charge.get(name, 0.0) for _, charge in runs), 1))
        for name in contacts
    )  # fmt: skip
    columns = (
        Column(t("stim_contact"), 2.0),
        *(Column(t("run", run=run.number), 1.0, number=True) for run, _ in runs),
        Column(t("stim_session"), 1.0, number=True),
    )
    blocks: list[Block] = [Heading(t("stim_charge"), 3), Table(columns, rows, t("no_data"), note=t("stim_note"))]
    if unknown:
        blocks.append(Para(t("stim_unknown", runs=t("join").join(str(run.number) for run in unknown))))
    if setup["earlier_uc"]:
        blocks.append(Para(t("stim_earlier")))
    return blocks
