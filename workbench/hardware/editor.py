"""A set-up while it is being edited: what a screen requests, step by step, and what it shows after each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from workbench import world
from workbench.errors import BadValue, Refused
from workbench.hardware import montages
from workbench.hardware import setup as saving
from workbench.hardware.checks import checks, electrodes
from workbench.hardware.contract import Problem, SystemInput, contract, problems
from workbench.hardware.difference import Change, difference
from workbench.hardware.discovery import Discovery, discover
from workbench.hardware.measurement import Measurement, measure
from workbench.hardware.setup import AUX, Connection, Setup, Waiver
from workbench.hardware.streams import FoundStream
from workbench.messages import Message
from workbench.signals import units
from workbench.vocabulary import StreamSpec

DEFAULT_SITE = "main"


class Listen(Protocol):
    """Measures streams; see :func:`workbench.hardware.measurement.measure`."""

    def __call__(
        self, streams: Sequence[FoundStream], labels: Sequence[Sequence[str]], *, peers: Sequence[str]
    ) -> Sequence[Measurement]:
        """A measurement for each stream."""


class SetupEditor:
    """The set-up of one site of a study, edited by one page.

    Parameters
    ----------
    folder : of the study.
    inputs : of the system that the session runs.
    look : finds streams, called with the peers.
    listen : measures streams, called with them, the labels of their channels, and the peers.

    Attributes
    ----------
    draft : the set-up as it stands. saved : the one of the last visit, None for a new site.
    looked_at : local time of the last search, ``""`` before the first.
    effectors : source_ids of the status streams of effectors that it found.
    """

    def __init__(
        self,
        folder: Path,
        inputs: Sequence[SystemInput],
        *,
        look: Callable[[Sequence[str]], Discovery] = discover,
        listen: Listen = measure,
    ) -> None:
        self._folder, self._inputs, self._look, self._listen = Path(folder), tuple(inputs), look, listen
        self._found: tuple[FoundStream, ...] = ()
        self.effectors: tuple[str, ...] = ()
        self.looked_at, self._own_configuration = "", True
        self._seen: frozenset[str] = frozenset()
        self._heard: set[str] = set()
        self.draft = Setup(DEFAULT_SITE)
        self.saved: Setup | None = None
        known = saving.sites(self._folder)
        self.choose_site(known[0] if known else DEFAULT_SITE)

    def ask_for(self, inputs: Sequence[SystemInput]) -> None:
        """What a session needs from now on."""
        self._inputs = tuple(inputs)

    # --------------------------------------------------------------------------------- steps
    def choose_site(self, site: str) -> None:
        """Load the saved set-up of a site; under a new name the draft is kept as it is."""
        saved = saving.load(self._folder, site.strip())
        self.saved, self._seen = saved, frozenset()
        if saved is None:
            self.draft = replace(self.draft, site=site.strip(), by="", at="")
            return
        # These streams were found with the peers of another site.
        self.draft, self._found, self.effectors, self.looked_at = saved, (), (), ""

    def name_peers(self, peers: Sequence[str]) -> None:
        """State the acquisition computers that are asked beside this one."""
        self.draft = replace(
            self.draft, peers=tuple(dict.fromkeys(peer.strip() for peer in peers if peer.strip()))
        )

    def look(self) -> int:
        """Look for streams of this computer and of the peers; the number of those that are there."""
        found = self._look(self.draft.peers)
        self._found, self.effectors, self._own_configuration = (
            found.streams,
            found.effectors,
            found.own_configuration,
        )
        self.looked_at = world.clock.local().strftime("%H:%M:%S")
        self.draft = saving.with_found(self.draft, self._found)
        return len(self._found)

    def assign(self, uid: str, role: str) -> None:
        """Let a stream that was found feed a role; what fed it before is taken out.

        Raises
        ------
        BadValue
            For a stream that was not found, or a role that the system does not have.
        """
        stream = next((one for one in self._found if one.uid == uid), None)
        if stream is None:
            raise BadValue(Message("setup.not_found", stream=repr(uid)))
        roles = [*(one.role for one in self._inputs), AUX]
        if role not in roles:
            raise BadValue(Message("setup.role_unknown", role=repr(role), roles=roles))
        others = tuple(
            one for one in self.draft.connections if one.stream.uid != uid and (one.role != role or role == AUX)
        )
        # The answers for this stream from the last visit hold until somebody changes them.
        before = self._known(stream, role) or Connection(role, stream)
        self.draft = replace(self.draft, connections=(*others, replace(before, role=role, stream=stream)))

    def take_out(self, stream: str) -> None:
        """Take a stream out of its role, by its name."""
        left = tuple(one for one in self.draft.connections if one.stream.name != stream)
        self.draft = replace(self.draft, connections=left)

    def answer(self, stream: str, **answers: Any) -> None:
        """State what a stream with a role does not announce.

        Parameters
        ----------
        stream : its name.
        **answers : any of ``labels`` and ``left_out`` (lists), ``unit``, ``unit_by``, ``reference`` and ``ground``
            (texts), and ``codes`` (code → condition).

        Raises
        ------
        BadValue
            A stream without a role, an unknown answer, one of the wrong kind, or a unit that nobody declares.
        """
        one = next((each for each in self.draft.connections if each.stream.name == stream), None)
        if one is None:
            raise BadValue(Message("setup.no_role", stream=repr(stream)))
        changed = replace(one, **{name: _checked(name, value) for name, value in answers.items()})
        if changed.unit and not changed.unit_by:
            raise BadValue(Message("setup.nobody_vouches"))
        if not changed.unit:
            changed = replace(changed, unit_by="")
        self._put(one, changed)

    def number_channels(self, stream: str) -> None:
        """Name the channels of a stream 1, 2, 3 … in their order."""
        n = next((one.stream.n_channels for one in self.draft.connections if one.stream.name == stream), 0)
        self.answer(stream, labels=list(montages.numbered(n)))

    def waive(self, role: str, reason: str) -> None:
        """Go without the stream of a role that is not critical; an empty reason takes the waiver back.

        Raises
        ------
        Refused
            For a critical role.
        BadValue
            For a role that the system does not have.
        """
        wanted = next((one for one in self._inputs if one.role == role), None)
        if wanted is None:
            raise BadValue(
                Message("setup.role_unknown", role=repr(role), roles=[one.role for one in self._inputs])
            )
        if wanted.critical:
            raise Refused(Message("setup.cannot_waive", role=role))
        waived = {name: why for name, why in self.draft.waived.items() if name != role}
        self.draft = replace(self.draft, waived={**waived, role: reason.strip()} if reason.strip() else waived)

    def measure(self, stream: str = "") -> None:
        """Listen to a stream that has a role, or to all that were not listened to by this page.

        Waivers of earlier measurements no longer apply: they were given for other figures.

        Raises
        ------
        BadValue
            For a stream without a role.
        StreamFault
            When a stream cannot be listened to.
        """
        there = [one for one in self.draft.connections if one.stream.uid]
        chosen = [one for one in there if one.stream.name == stream or not stream]
        if stream and not chosen:
            raise BadValue(Message("setup.no_role", stream=repr(stream)))
        chosen = [one for one in chosen if stream or one.stream.uid not in self._heard]
        if not chosen:
            return
        heard = self._listen(
            [one.stream for one in chosen], [one.channels for one in chosen], peers=self.draft.peers
        )
        for one, measurement in zip(chosen, heard, strict=True):
            self._put(one, replace(one, measured=measurement, waivers=()))
            self._heard.add(one.stream.uid)

    def waive_failed(self, stream: str, check: str, reason: str, *, by: str) -> None:
        """Waive a failed check of a stream; an empty reason takes the waiver back.

        Parameters
        ----------
        stream, check : their names.
        reason : why.
        by : who answers for it.

        Raises
        ------
        BadValue
            For a check of the stream that did not fail.
        """
        one = next((each for each in self.draft.connections if each.stream.name == stream), None)
        said = next((each for each in checks(one) if each.name == check), None) if one else None
        if one is None or said is None or said.state != "failed":
            raise BadValue(Message("setup.nothing_failed", check=repr(check), stream=repr(stream)))
        others = tuple(each for each in one.waivers if each.check != check)
        at = world.clock.now().isoformat(timespec="seconds")
        waiver = Waiver(check, str(said.text), reason.strip(), by, at)
        self._put(one, replace(one, waivers=(*others, waiver) if reason.strip() else others))

    def attach_effector(self, *, real: bool) -> None:
        """State whether a real device is attached, or a simulated one is used."""
        if not isinstance(real, bool):
            raise BadValue(Message("setup.effector", got=repr(real)))
        self.draft = replace(self.draft, effector="real" if real else "simulated")

    def confirm(self) -> None:
        """Confirm every difference from the last visit that is shown now."""
        self._seen = frozenset(change.text for change in self.changes() if change.confirm)

    def save(self, *, by: str) -> Setup:
        """Save the set-up for its site; streams that this page did not listen to are measured first.

        Parameters
        ----------
        by : who answers for it.

        Raises
        ------
        Refused
            While something stands in the way, or a difference is not confirmed; the text is the first of them.
        """
        self._refuse([problem for problem in self.problems() if problem.field != "check"])
        if open_changes := self._unconfirmed():
            raise Refused(Message("setup.not_confirmed", change=open_changes[0].text))
        self.measure()
        self._refuse(self.problems())
        there = self.draft
        stored = saving.save(self._folder, there, by=by)
        self.saved, self.draft = stored, stored
        self._seen = frozenset()
        return stored

    @staticmethod
    def _refuse(found: Sequence[Problem]) -> None:
        if found:
            raise Refused(found[0].text)

    # --------------------------------------------------------------------------------- state
    def problems(self) -> list[Problem]:
        """What prevents the draft from being used."""
        return problems(self.draft, self._inputs)

    def changes(self) -> list[Change]:
        """What differs from the last visit; nothing at a new site, and nothing before streams were looked for."""
        return difference(self.saved, self.draft) if self.saved is not None and self.looked_at else []

    def contract(self) -> tuple[StreamSpec, ...]:
        """The contract that follows from the draft."""
        return contract(self.draft, self._inputs)

    def state(self) -> dict[str, Any]:
        """Everything that a screen shows, JSON-able (see ``widgets.SetupPanel``)."""
        faults, unconfirmed = self.problems(), self._unconfirmed()
        return {
            "site": self.draft.site,
            "sites": list(saving.sites(self._folder)),
            "peers": list(self.draft.peers),
            "looked_at": self.looked_at,
            "own_configuration": self._own_configuration,
            "found": [self._shown(stream) for stream in self._found],
            "inputs": [
                {"role": one.role, "kind": one.kind, "critical": one.critical, "words": one.words}
                for one in self._inputs
            ],
            "connections": [self._connected(one) for one in self.draft.connections],
            "waived": dict(self.draft.waived),
            "effector": self.draft.effector,
            "problems": [asdict(one) for one in faults],
            "changes": [asdict(one) for one in self.changes()],
            "unconfirmed": len(unconfirmed),
            "ready": bool(self.looked_at) and not faults and not unconfirmed,
            "saved": {"by": self.saved.by, "at": self.saved.at, "hash": self.saved.sha256[:8]}
            if self.saved
            else {},
            "as_saved": self.saved is not None and self.saved.sha256 == self.draft.sha256,
        }

    def _connected(self, one: Connection) -> dict[str, Any]:
        """A connection with its checks and electrodes, and when it was measured: now, or at an earlier visit."""
        return {
            **_connection(one),
            "checks": [asdict(check) for check in checks(one)],
            "electrodes": [asdict(electrode) for electrode in electrodes(one)],
            "measured": {
                "at": one.measured.at,
                "seconds": one.measured.seconds,
                "codes": dict(one.measured.codes),
                "now": one.stream.uid in self._heard,
            }
            if one.measured
            else {},
        }

    def _shown(self, stream: FoundStream) -> dict[str, Any]:
        role = next((one.role for one in self.draft.connections if one.stream.uid == stream.uid), "")
        twins = sum((one.name, one.type) == (stream.name, stream.type) for one in self._found)
        return {
            "uid": stream.uid,
            "name": stream.name,
            "type": stream.type,
            "host": stream.host,
            "source_id": stream.source_id,
            "fs": stream.fs,
            "dtype": stream.dtype,
            "n_channels": stream.n_channels,
            "units": list(dict.fromkeys(unit for unit in stream.units if unit)),
            "device": " ".join(filter(None, (stream.manufacturer, stream.model))),
            "role": role,
            "twins": twins,
        }

    def _unconfirmed(self) -> list[Change]:
        return [change for change in self.changes() if change.confirm and change.text not in self._seen]

    def _known(self, stream: FoundStream, role: str) -> Connection | None:
        places = (*self.draft.connections, *(self.saved.connections if self.saved else ()))
        alike = [one for one in places if (one.stream.name, one.stream.type) == (stream.name, stream.type)]
        return next((one for one in alike if one.role == role), alike[0] if alike else None)

    def _put(self, old: Connection, new: Connection) -> None:
        connections = tuple(new if one is old else one for one in self.draft.connections)
        self.draft = replace(self.draft, connections=connections)


def _checked(name: str, value: Any) -> Any:
    """An answer of a page as it is stored: texts without blanks at their ends, and no unknown fields."""
    if (
        name in ("labels", "left_out")
        and isinstance(value, list | tuple)
        and all(isinstance(v, str) for v in value)
    ):
        return tuple(v.strip() for v in value)
    if name in ("unit", "unit_by", "reference", "ground") and isinstance(value, str):
        return value.strip()
    if name == "codes" and isinstance(value, Mapping):
        pairs = {str(code).strip(): str(label).strip() for code, label in value.items()}
        return {code: label for code, label in pairs.items() if code and label}
    raise BadValue(Message("setup.answer_unknown", name=repr(name), got=repr(value)[:80]))


def _connection(one: Connection) -> dict[str, Any]:
    stream = one.stream
    return {
        "role": one.role,
        "name": stream.name,
        "uid": stream.uid,
        "host": stream.host,
        "fs": stream.fs,
        "n_channels": stream.n_channels,
        "markers": stream.is_markers,
        "potential": units.is_biopotential(stream.type),
        "coded": stream.has_codes,
        "announced_labels": bool(stream.channels),
        "channels": list(one.channels),
        "montages": {name: list(labels) for name, labels in montages.fitting(stream.n_channels).items()},
        "left_out": list(one.left_out),
        "announced_unit": one.announced_unit,
        "unit": one.unit,
        "unit_by": one.unit_by,
        "reference": one.reference or stream.reference,
        "ground": one.ground or stream.ground,
        "reference_announced": bool(stream.reference),
        "ground_announced": bool(stream.ground),
        "codes": dict(one.codes),
    }
