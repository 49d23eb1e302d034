"""Hardware of a session: what the set-up screen asks, and the session that follows from a saved set-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import control, decoders, devices, live, messages, systems
from workbench.decoders import JoinedDecoder, WindowDecoder
from workbench.errors import DecoderMismatch, RecordingFault, Refused, WorkbenchError
from workbench.hardware import (
    Discovery,
    Listen,
    SetupEditor,
    certificates,
    contract,
    discover,
    measure,
    waived_streams,
)
from workbench.live.plan import SessionPlan
from workbench.messages import Message
from workbench.signals import units
from workbench.study import Study
from workbench.systems import HARDWARE, System, bind
from workbench.widgets import SetupPanel


class SetupService(SetupEditor):
    """The set-up of a site for one system: edited, saved, paired with its effector, and turned into a session.

    Parameters
    ----------
    folder : of the study.
    system : that a session runs. task : of it, ``""`` for the usual one.
    who : name of who answers for what is saved.
    decoder : row of the decoder that is approved for the participant at hand, None while there is none.
    look : finds streams. listen : measures them.
    """

    def __init__(
        self,
        folder: Path,
        system: System,
        *,
        task: str = "",
        who: Callable[[], str],
        decoder: Callable[[], Mapping[str, Any] | None] = lambda: None,
        look: Callable[[Sequence[str]], Discovery] = discover,
        listen: Listen = measure,
    ) -> None:
        super().__init__(folder, system.inputs, look=look, listen=listen)
        self.folder, self.system, self.who = Path(folder), system, who
        self._task, self._decoder = task, decoder
        self._read: dict[str, WindowDecoder | JoinedDecoder] = {}
        self._pairing: dict[str, str] = {}

    def follow(self, system: System, *, task: str = "") -> None:
        """Set up for another system from now on; streams that were found and the site stay.

        Parameters
        ----------
        system, task : of the register, and the name of one of its tasks.
        """
        self.ask_for(system.inputs)
        self.system, self._task, self._pairing = system, task, {}

    # ------------------------------------------------------------------------------ requests
    def keep(self) -> None:
        """Save the set-up in the name of who answers for it."""
        self.save(by=self.who())
        self._pairing = {}

    def measure(self, stream: str = "") -> None:
        """Listen to streams (:meth:`SetupEditor.measure`).

        Raises
        ------
        Refused
            While a session runs: its page could not answer meanwhile.
        """
        if live.find(self.folder) is not None:
            raise Refused(Message("setup.measure_session"))
        super().measure(stream)

    def waive_check(self, stream: str, check: str, reason: str) -> None:
        """Let a failed check pass in the name of the person who is signed in.

        Parameters
        ----------
        stream, check : their names.
        reason : why; an empty one takes the waiver back.
        """
        self.waive_failed(stream, check, reason, by=self.who())

    def pair(self) -> None:
        """Pair this study with a new effector: the code that is to be typed at its computer within a quarter hour.

        Raises
        ------
        Refused
            Without an effector, or while a session runs, whose device follows the pairing that it has.
        """
        effector = self.system.effector
        if effector is None:
            raise Refused(Message("setup.no_effector", system=self.system.name))
        if live.find(self.folder) is not None:
            raise Refused(Message("setup.session_runs"))
        name, code = devices.pairing_name(self.folder, effector), devices.new_pairing_code()
        paired = devices.pair_by_code(name, effector, code)
        command = f"workbench pair device {name} {effector}"
        self._pairing = {"code": code, "command": command, "link": paired.link_id}

    def state(self) -> dict[str, Any]:
        """See ``widgets.SetupPanel``."""
        effector = self.system.effector
        answers = bool(effector) and self._answers(str(effector))
        return {
            **super().state(),
            "system": self.system.title,
            "device": {
                "name": self._effector_title(),
                "answers": answers,
                "pairing": self._pairing,
                "certificate": self._certificate(),
            },
            "decoder": self._fit(),
        }

    # ------------------------------------------------------------------------------- session
    def refusal(self) -> str | None:
        """Why no session can start with this set-up now, None when one can."""
        if self.saved is None:
            return Message("setup.none_saved", site=self.draft.site)
        if not self.looked_at:
            return Message("setup.look_first", site=self.draft.site)
        if found := self.problems():
            return found[0].text
        if self.saved.sha256 != self.draft.sha256:
            return Message("setup.save_first", site=self.draft.site)
        certificate = self._certificate()
        return str(certificate["text"]) if certificate.get("state") == "refused" else None

    def new_session(
        self, study: Study, *, visit: str, operator: str, identity: str = "", **entries: Any
    ) -> SessionPlan:
        """Enter a session with this hardware into the record and return its plan.

        Parameters
        ----------
        study, visit, operator : the open record, id of the visit, and who runs the session.
        identity : how the participant was confirmed, ``""`` for not at all.
        **entries : further entries of the plan.

        Raises
        ------
        Refused
            While the set-up is in the way, or the record holds no consent of a person.
        BadValue
            Where it does not fit the system.
        """
        if why := self.refusal():
            raise Refused(why)
        setup = self.draft
        source = replace(HARDWARE, labels=setup.codes)
        bound = bind(self.system, contract(setup, self.system.inputs), task=self._task, source=source)
        person = study.get("participant", study.get("visit", visit)["participant_id"])
        real = self.system.effector is not None and setup.effector == "real"
        certificate = certificates.load(self.folder, str(self.system.effector)) if real else None
        return bound.new_session(
            study,
            visit=visit,
            operator=operator,
            identity=identity,
            peers=setup.peers,
            setup=setup.content(),
            consent=str(person["consent"]),
            waived=waived_streams(setup),
            effector_simulated=setup.effector == "simulated",
            certificate=certificate.plan_entry() if certificate else {},
            **entries,
        )

    def _effector_title(self) -> str:
        name = self.system.effector
        return (control.load(name).title or name) if name else ""

    def _certificate(self) -> Mapping[str, Any]:
        """What the certificate of the effector means now; a simulated one needs none, and is labelled as such."""
        if self.system.effector is None:
            return {}
        if self.draft.effector == "simulated":
            return {"state": "exempt", "text": Message("certificate.exempt")}
        return certificates.judge(self.folder, self.system.effector)

    def _fit(self) -> dict[str, Any]:
        """Whether the approved decoder decodes the streams of the draft; empty without one or without a signal."""
        try:
            row = self._decoder()
        except WorkbenchError:
            return {}  # a record that is held by another writer; the next look shows it
        montages = {line.role: units.montage_of(line) for line in self.contract() if line.channels}
        if row is None or "signal" not in montages:
            return {}
        sha256, why = str(row["sha256"]), ""
        try:
            if sha256 not in self._read:
                self._read[sha256] = decoders.read(self.folder / str(row["path"]))
            decoders.check_inputs(self._read[sha256], montages)
        except (RecordingFault, DecoderMismatch) as fault:
            why = messages.of(fault)
        return {"hash": sha256[:8], "ok": not why, "why": why}

    def _answers(self, effector: str) -> bool:
        """Whether the paired effector was seen in the last search."""
        return (
            bool(self.effectors) and devices.pairing(self.folder, effector).source_id("status") in self.effectors
        )


def set_up(study: Study, system: System, *, visit: str = "", operator: str = "") -> SetupPanel:
    """The set-up screen in a notebook: streams, roles, units, labels; *Start* starts the session of the visit.

    Parameters
    ----------
    study : the open record.
    system : of the register (``systems.load``).
    visit : id of the visit, by default the last one of the record.
    operator : who answers for it, by default the name under which the record was opened.

    Returns
    -------
    SetupPanel
        To be displayed. A :class:`~workbench.widgets.LiveSession` of the same study attaches to what it starts.
    """
    who = operator or study.actor
    chosen = visit or str(study.rows("visit")[-1]["id"])

    def start() -> None:
        live.start(service.new_session(study, visit=chosen, operator=who)).close()

    def decoder() -> dict[str, Any] | None:
        person = str(study.get("visit", chosen)["participant_id"])
        return study.approved_decoder(
            effector=system.effector or "screen",
            participant_id=person,
            system=f"{system.name} {system.task().name}",
        )

    def blocked() -> str | None:
        return systems.consent_refusal(study.get("participant", study.get("visit", chosen)["participant_id"]))

    service = SetupService(Path(study.folder), system, who=lambda: who, decoder=decoder)
    return SetupPanel(service, start=start, blocked=blocked)
