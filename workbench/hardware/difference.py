"""What has changed since the last visit, and whether somebody has to confirm it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.hardware.checks import resting_amplitude
from workbench.hardware.setup import Connection, Setup
from workbench.messages import Message

SAME_RATE = 0.001
"""Share by which a measured rate may differ from visit to visit without being reported."""
SAME_REST = 2.0
"""Factor by which a resting amplitude may."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes
    ----------
    role : that it concerns, ``""`` for the set-up as a whole.
    text : one phrase: what it is, and what it was.
    confirm : whether it can change what reaches the decoder or the participant, so that a person confirms it.
    """

    role: str
    text: str
    confirm: bool


def difference(saved: Setup, now: Setup) -> list[Change]:
    """What differs between the saved set-up and the present one; empty when nothing does."""
    changes = []
    if gone := [peer for peer in saved.peers if peer not in now.peers]:
        changes.append(Change("", Message("setup.peers_gone", peers=gone), confirm=False))
    if new := [peer for peer in now.peers if peer not in saved.peers]:
        changes.append(Change("", Message("setup.peers_new", peers=new), confirm=False))
    if saved.effector != now.effector:
        real = now.effector == "real"
        text = Message("setup.effector_now_real") if real else Message("setup.effector_now_simulated")
        changes.append(Change("", text, confirm=True))
    before, after = _by_place(saved), _by_place(now)
    for place, one in after.items():
        if place not in before:
            text = Message("setup.stream_new", stream=one.stream.name, role=one.role)
            changes.append(Change(one.role, text, confirm=one.role != "aux"))
        else:
            changes += _of_connection(before[place], one)
    for place, one in before.items():
        if place not in after:
            text = Message("setup.stream_gone", stream=one.stream.name, role=one.role)
            changes.append(Change(one.role, text, confirm=one.role != "aux"))
    for role in sorted({*saved.waived, *now.waived}):
        if saved.waived.get(role, "") != now.waived.get(role, ""):
            reason = now.waived.get(role, "")
            text = (
                Message("setup.now_waived", role=role, why=reason)
                if reason
                else Message("setup.unwaived", role=role)
            )
            changes.append(Change(role, text, confirm=False))
    return changes


def _by_place(setup: Setup) -> dict[tuple[str, str], Connection]:
    """Connections by role; several streams may only be recorded, and are distinguished by name."""
    return {(one.role, one.stream.name if one.role == "aux" else ""): one for one in setup.connections}


def _of_connection(was: Connection, now: Connection) -> Iterator[Change]:
    """What differs in one role."""
    confirm = now.role != "aux"
    if not now.stream.uid:
        yield Change(now.role, Message("setup.stream_not_there", stream=now.stream.name), confirm=False)
        return
    for text in (*_of_stream(was, now), *_of_answers(was, now)):
        yield Change(now.role, text, confirm=confirm)
    if was.stream.host != now.stream.host:
        text = Message("setup.host_other", stream=now.stream.name, got=now.stream.host, was=was.stream.host)
        yield Change(now.role, text, confirm=False)
    for text in _of_measured(was, now):
        yield Change(now.role, text, confirm=False)


def _of_measured(was: Connection, now: Connection) -> Iterator[str]:
    """What was measured differently at the last visit, by more than a stream varies by itself."""
    old, new, name = was.measured, now.measured, now.stream.name
    if old is None or new is None or old == new:
        return
    if abs(old.fs - new.fs) > SAME_RATE * max(old.fs, new.fs):
        yield Message("setup.measured_rate", stream=name, got=f"{new.fs:.2f}", was=f"{old.fs:.2f}")
    rest, before = resting_amplitude(now), resting_amplitude(was)
    if rest and before and not _alike(rest, before):
        got, former = (f"{value:.3g} {unit}" for value, unit in (rest, before))
        yield Message("setup.measured_rest", stream=name, got=got, was=former)
    if bool(old.n_lost or old.counter_lost) != bool(new.n_lost or new.counter_lost):
        got, former = (str(one.counter_lost if one.counter else one.n_lost) for one in (new, old))
        yield Message("setup.measured_lost", stream=name, got=got, was=former)
    if codes := sorted(set(new.codes) - set(old.codes) - set(was.codes)):
        yield Message("setup.measured_codes", stream=name, codes=codes)


def _alike(one: tuple[float, str], other: tuple[float, str]) -> bool:
    """Whether two resting amplitudes are of one unit and within the factor by which rest varies."""
    low, high = sorted((one[0], other[0]))
    return one[1] == other[1] and high <= SAME_REST * low


def _of_stream(was: Connection, now: Connection) -> Iterator[str]:
    old, new = was.stream, now.stream
    if (old.name, old.type) != (new.name, new.type):
        yield Message("setup.stream_other", got=new.name, was=old.name)
        return
    if old.source_id != new.source_id:
        yield Message("setup.source_other", stream=new.name, got=new.source_id or "—", was=old.source_id or "—")
    if old.fs != new.fs:
        yield Message("setup.rate_other", stream=new.name, got=f"{new.fs:g}", was=f"{old.fs:g}")
    if old.dtype != new.dtype:
        yield Message("setup.format_other", stream=new.name, got=new.dtype, was=old.dtype)
    if old.n_channels != new.n_channels:
        yield Message("setup.channels_other", stream=new.name, got=new.n_channels, was=old.n_channels)
    elif was.channels != now.channels:
        pairs = enumerate(zip(now.channels, was.channels), 1)
        other = [
            Message("setup.label_other", n=place, got=got, was=before)
            for place, (got, before) in pairs
            if got != before
        ]
        yield Message("setup.labels_other", stream=new.name, channels=other[:6] or [", ".join(now.channels)])
    if old.units != new.units:
        yield Message(
            "setup.unit_other", stream=new.name, got=now.announced_unit or "—", was=was.announced_unit or "—"
        )
    if (old.reference, old.ground) != (new.reference, new.ground):
        got, before = (f"{one.reference or '—'} / {one.ground or '—'}" for one in (new, old))
        yield Message("setup.reference_other", stream=new.name, got=got, was=before)


def _of_answers(was: Connection, now: Connection) -> Iterator[str]:
    name = now.stream.name
    if was.left_out != now.left_out:
        yield Message("setup.left_out_other", stream=name, channels=list(now.left_out) or "—")
    if (was.unit, was.unit_by) != (now.unit, now.unit_by):
        yield Message("setup.declared_other", stream=name, unit=now.unit or "—", by=now.unit_by or "—")
    if (was.reference, was.ground) != (now.reference, now.ground):
        got, before = (f"{one.reference or '—'} / {one.ground or '—'}" for one in (now, was))
        yield Message("setup.reference_other", stream=name, got=got, was=before)
    if dict(was.codes) != dict(now.codes):
        codes = ", ".join(f"{code} = {label}" for code, label in sorted(now.codes.items()))
        yield Message("setup.codes_other", stream=name, codes=codes or "—")
