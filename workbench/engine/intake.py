"""What the intake reports of streams while they deliver: stamps, declared units, streams that are there twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from workbench.devices import lsl
from workbench.signals import units
from workbench.signals.stamps import Episode, StampFault

if TYPE_CHECKING:
    from workbench.engine.connections import Links
    from workbench.engine.streams import Stream

CONSEQUENCES = {
    StampFault.NOT_FINITE: "those samples are given the time that was expected",
    StampFault.REPEATED: "samples are given the time that the rate says",
    StampFault.OUT_OF_ORDER: "samples are taken in the order in which they came",
    StampFault.JUMPED: "a new clock segment begins; an open trial is excluded",
    StampFault.RATE: "samples are missing, or the rate of the contract is wrong; decisions go by the stamps",
}
"""What the engine does about each fault of stamps."""

MEANINGS = {
    StampFault.NOT_FINITE: "Its stamps are no times.",
    StampFault.REPEATED: "Several samples carry one stamp.",
    StampFault.OUT_OF_ORDER: "Its stamps step back and forth; samples may be in the wrong order.",
    StampFault.JUMPED: "Its clock was set, or its driver stamps wrongly.",
    StampFault.RATE: "It delivers fewer or more samples than it announces.",
}


def report_stamps(links: Links, stream: Stream, episode: Episode) -> None:
    """An episode of wrong stamps began (row and alarm) or ended (row; the alarm's cause is gone)."""
    name, fault = stream.spec.name, episode.fault
    key = f"{fault.value}:{name}"
    if episode.over:
        links.ledger.calm(key)
        links.enter(
            "stamps_steady", stream=name, extent=f"{fault.value} is over: {episode.extent}",
            consequence="nothing more to do", priority="low",
        )  # fmt: skip
        return
    serious = stream.spec.critical and fault in (StampFault.RATE, StampFault.JUMPED, StampFault.OUT_OF_ORDER)
    priority = "high" if serious else "medium"
    links.enter(
        fault.value, stream=name, extent=episode.extent, consequence=CONSEQUENCES[fault], priority=priority
    )
    links.mark(fault.value, label=name, extent=episode.extent)
    links.ledger.alarm(
        key,
        shown=fault.value,
        priority=priority,
        what=f"The stamps of {name} are at fault: {episode.extent}.",
        means=f"{MEANINGS[fault]} Everything is recorded as it came.",
        do=f"Check the settings, the cable and the driver of {name}; restart its source if it does not end.",
        stream=name,
        extent=episode.extent,
    )


def check_declared_unit(links: Links) -> None:
    """Hold a unit that an operator declared against the amplitude: a row once, an alarm while it cannot be."""
    stream = links.signal
    if stream.units.source != "declared" or not links.quality:
        return
    if not units.is_voltage(stream.spec.unit):
        return
    name, by = stream.spec.name, stream.units.by
    problem = units.implausible([channel.rms_uv for channel in links.quality])
    key = f"unit_implausible:{name}"
    if problem and key not in links.ledger.alarms:
        links.enter(
            "unit_implausible", stream=name, extent=problem,
            consequence=f"the unit {stream.spec.unit!r} that {by} declared does not fit; nothing can be armed",
            priority="high",
        )  # fmt: skip
    if problem:
        links.ledger.alarm(
            key,
            shown="unit_implausible",
            priority="high",
            what=f"The unit of {name} does not fit: {problem}.",
            means=f"The unit {stream.spec.unit!r}, declared by {by}, does not fit. Nothing can be armed.",
            do="Correct the declared unit in the session plan, or check the electrodes.",
            stream=name,
            extent=problem,
        )
    else:
        links.ledger.calm(key)


def report_jitter(links: Links) -> None:
    """One row a regular stream: how far its stamps lay from the smooth time base."""
    for stream in links.streams.values():
        jitter = stream.jitter
        if jitter.n:
            links.enter(
                "jitter",
                stream=stream.spec.name,
                extent=f"median {jitter.median_s * 1000:.2f} ms, 95 % below {jitter.p95_s * 1000:.2f} ms, "
                f"largest {jitter.max_s * 1000:.2f} ms, {jitter.n} stamps",
                consequence=f"up to {stream.spec.gap_tolerance_s * 1000:g} ms is jitter in any case; "
                f"up to {stream.spec.jitter_s * 1000:g} ms when it does not stay",
            )


def texts_of(values: Any) -> list[str]:
    """Texts of a marker stream; the codes of an integer one as text."""
    if isinstance(values, list):
        return [str(text) for text in values]
    return [str(int(row[0])) if math.isfinite(row[0]) else "" for row in values]


class DuplicateWatch:
    """Looks for streams that are there a second time while the session has the first."""

    def __init__(self) -> None:
        self._resolver: Any = None
        self._suspects: dict[str, str] = {}

    def look(self, links: Links) -> None:
        """One look; a duplicate that two looks in a row found is a row and an alarm.

        An outlet that died is listed for some seconds more, and one that comes back has another uid: a duplicate
        is therefore one beside a stream that delivers and is listed itself.
        """
        if self._resolver is None:
            self._resolver = lsl.watcher()
        seen = self._resolver()
        suspects: dict[str, str] = {}
        for stream in links.streams.values():
            spec, key = stream.spec, f"stream_duplicate:{stream.spec.name}"
            alike = [one for one in seen if one.name == spec.name and one.type == spec.type]
            if spec.source_id:
                alike = [one for one in alike if one.source_id == spec.source_id]
            others = [one for one in alike if one.uid != stream.uid]
            if stream.state != "good" or len(others) == len(alike) or not others:
                links.ledger.calm(key)
                continue
            suspects[spec.name] = others[0].uid
            if self._suspects.get(spec.name) != others[0].uid or key in links.ledger.alarms:
                continue
            self._report(links, stream, [one.words() for one in others], key)
        self._suspects = suspects

    def _report(self, links: Links, stream: Stream, words: list[str], key: str) -> None:
        name = stream.spec.name
        priority = "high" if stream.spec.critical else "medium"
        extent = f"also seen: {', '.join(words)}"
        links.enter(
            "stream_duplicate", stream=name, extent=extent,
            consequence="the first one stays connected; the other is neither recorded nor decoded",
            priority=priority,
        )  # fmt: skip
        links.mark("stream_duplicate", label=name, extent=extent)
        links.ledger.alarm(
            key,
            shown="stream_duplicate",
            priority=priority,
            what=f"{name} is there twice.",
            means="Two programs send the same stream. The one that was found first is recorded and decoded.",
            do="Stop the one that is not the participant's device.",
            stream=name,
            extent=extent,
        )
