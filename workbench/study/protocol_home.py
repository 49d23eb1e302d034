"""Reading the rule for use at home from a protocol file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from workbench.messages import Message
from workbench.study.protocol_reading import FARTHEST_DAY, Table
from workbench.vocabulary import HomeRole, HomeRule, RecalibrationRule

LONGEST_AT_HOME = 720.0
"""Of a time of the rule for use at home, min."""
RECALIBRATED: Mapping[str, tuple[float, float, Message]] = {
    "cues": (10, 200, Message("protocol.unit_cues")),
    "after_days": (0, 365, Message("protocol.unit_days")),
    "alone_days": (1, 365, Message("protocol.unit_days")),
    "most_in_a_row": (1, 20, Message("protocol.unit_times")),
    "least_accuracy": (0.5, 1.0, Message("protocol.unit_fraction")),
    "most_worse": (0.0, 0.5, Message("protocol.unit_fraction")),
}
"""Least and greatest value of each bound of a recalibration at home, and its unit: fewer cues than 10 tell no
decoder from guessing, and one below a half is a coin."""


def home_rule(table: Table | None) -> HomeRule | None:
    """The rule that the table ``[home_use]`` states; its problems go where those of the file do.

    Parameters
    ----------
    table : None where the protocol has none.
    """
    if table is None:
        return None
    present = table.names("present", allowed=get_args(HomeRole))
    # Never the participant: a STOP must not be reset by the switch that may have clicked by itself.
    reset = table.names("reset", allowed=("caregiver", "site"))
    times = {name: table.number(name) for name in ("present_min", "day_min", "skin_min")}
    for name, value in times.items():
        if value is not None and not 1 <= value <= LONGEST_AT_HOME:
            table.problem(Message("protocol.home_time", key=name, most=f"{LONGEST_AT_HOME:g}", got=f"{value:g}"))
    rule = HomeRule(
        present=cast("tuple[HomeRole, ...]", present),
        reset=cast("tuple[HomeRole, ...]", reset),
        present_min=times["present_min"] or 0.0,
        day_min=times["day_min"] or 0.0,
        skin_min=times["skin_min"] or 0.0,
        call=table.name("call"),
        emergency=table.name("emergency"),
        release=table.name("release"),
        call_zh=table.name("call_zh", needed=False),
        release_zh=table.name("release_zh", needed=False),
        recalibration=_recalibration(table.table("recalibration", needed=False)),
    )
    table.done()
    return rule


def _recalibration(table: Table | None) -> RecalibrationRule | None:
    if table is None:
        return None
    counts = {
        key: table.integer(key, most=FARTHEST_DAY) for key in ("cues", "after_days", "alone_days", "most_in_a_row")
    }
    shares = {key: table.number(key) for key in ("least_accuracy", "most_worse")}
    found = {**counts, **shares}
    for key, (least, most, unit) in RECALIBRATED.items():
        value = found[key]
        if value is not None and not least <= value <= most:
            table.problem(
                Message(
                    "protocol.recalibration",
                    key=key,
                    least=f"{least:g}",
                    most=f"{most:g}",
                    unit=unit,
                    got=f"{value:g}",
                )
            )
    after, alone = counts["after_days"], counts["alone_days"]
    if after is not None and alone is not None and after > alone:
        table.problem(Message("protocol.recalibration_never", after=after, alone=alone))
    table.done()
    return RecalibrationRule(
        cues=counts["cues"] or 0,
        after_days=after or 0,
        alone_days=alone or 0,
        most_in_a_row=counts["most_in_a_row"] or 0,
        least_accuracy=shares["least_accuracy"] or 0.0,
        most_worse=shares["most_worse"] or 0.0,
    )
