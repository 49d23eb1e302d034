"""The study overview: who takes part, which forms are in, what waits for somebody, the audit trail and its chain.

It reads, and changes nothing of the trial but its lock. Verifying, exporting and locking run on a thread of their
own, since STOP of the same page must not wait for them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import traitlets

from workbench import messages
from workbench.errors import Refused
from workbench.messages import Message
from workbench.widgets._base import SAYABLE, SYNCED, Panel, compose, styles

Work = Literal["verify", "export", "lock"]


class OverviewRequests(Protocol):
    """The functions of the record that the page uses (``dashboard.StudyService`` has them)."""

    def overview(self) -> Mapping[str, Any]:
        """Everything that is shown; see :class:`StudyPage`."""

    def verify(self, progress: Callable[[float], None]) -> str:
        """Verify chain and tables, telling the share that is done. Returns ``""``."""

    def export(self, progress: Callable[[float], None]) -> str:
        """Keep the audit trail as a file. Returns the sentence that names it."""

    def conditions(self) -> list[dict[str, Any]]:
        """What must hold before the study is locked: ``{"name", "n", "people", "more"}`` each."""

    def lock(self, change: str, reason: str, signers: Sequence[Mapping[str, str]]) -> str:
        """Lock or unlock the study. Returns the sentence for the page.

        Parameters
        ----------
        change : ``"LockStudy"`` or ``"UnlockStudy"``.
        reason : why.
        signers : ``login`` and ``password`` of each who signs.
        """


class StudyPage(Panel):
    """The overview of a study.

    Parameters
    ----------
    service : reads the record, verifies and exports.
    back : called to go back to the worklist; None where there is none.
    open_participant : called with the pseudonym of a row; None where no page shows one.
    open_safety, open_results : called to show the safety desk, and the results of the trial; None where no page
        does.

    Traits
    ------
    overview : ``study, version, date, read_at, fault, flow, visits, rows, counts, tasks, queries, deviations,
    locks, entries, whole, head, verification, reports, checks, without``, where ``checks`` are implant checks that
    are due or were missed, ``without`` names who never entered screening, and ``rows`` hold the forms of each
    visit as one letter each: ``v`` verified, ``c`` complete, ``d`` draft, ``m`` missing, ``n`` not due, ``h``
    visit not held, ``w`` withdrawn, a space where the protocol does not ask; work : ``{"kind", "share", "s",
    "text", "fault"}`` of what runs or ran last; opens : ``["back", "participant", "safety", "results"]``, what
    leads elsewhere from here.
    """

    _esm = compose(
        "parts/dom", "parts/icons", "parts/entry", "parts/signin", "parts/signed", "parts/study_lock", "study_page"
    )  # fmt: skip
    _css = styles("panels", "entry", "study", "lock")

    overview = traitlets.Dict().tag(**SYNCED)
    work = traitlets.Dict().tag(**SYNCED)
    opens: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        service: OverviewRequests,
        *,
        back: Callable[[], None] | None = None,
        open_participant: Callable[[str], None] | None = None,
        open_safety: Callable[[], None] | None = None,
        open_results: Callable[[], None] | None = None,
        **traits: Any,
    ) -> None:
        led = {"back": back, "participant": open_participant, "safety": open_safety, "results": open_results}
        super().__init__(opens=[name for name, leads in led.items() if leads is not None], **traits)
        self._service, self._back, self._open_participant = service, back, open_participant
        self._open_safety, self._open_results = open_safety, open_results
        self._thread: threading.Thread | None = None
        self.look()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """How many take part, and what is missing."""
        flow, counts = self.overview.get("flow", {}), self.overview.get("counts", {})
        facts = [("enrolled", flow.get("enrolled", 0)), ("forms missing", counts.get("missing", 0))]
        return str(self.overview.get("study", "")), [*facts, ("queries", len(self.overview.get("queries", [])))]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Look again, verify, export, conditions of the lock, lock, go back, open a participant or the desk."""
        return {
            "look": self.look,
            "verify": self.verify,
            "export": self.export,
            "conditions": self.conditions,
            "lock": self.lock,
            "back": self.back,
            "safety": self.safety,
            "results": self.results,
            "participant": self.participant,
        }

    def look(self) -> None:
        """Read the record. When it cannot be read, everything stays as it was, with the fault beside it."""
        try:
            read = dict(self._service.overview())
        except SAYABLE as error:
            self.overview = {**self.overview, "fault": messages.of(error)}
            return
        self.overview = {**read, "fault": ""}

    def verify(self) -> None:
        """Begin to verify chain and tables. Raises Refused while something runs."""
        self._begin("verify", self._service.verify)

    def export(self) -> None:
        """Begin to keep the audit trail as a file. Raises Refused while something runs or the record is broken."""
        newest = self.overview.get("verification")
        if newest and not newest["ok"]:
            raise Refused(Message("overview.export_broken", why=newest["first"]))
        self._begin("export", self._service.export)

    def conditions(self) -> list[dict[str, Any]]:
        """What must hold before the study is locked, and what is missing."""
        return list(self._service.conditions())

    def lock(self, change: str, reason: str, signers: Sequence[Mapping[str, str]]) -> None:
        """Begin to lock the study, or to unlock it. Raises Refused while something runs.

        Parameters
        ----------
        change, reason : ``"LockStudy"`` or ``"UnlockStudy"``, and why.
        signers : ``login`` and ``password`` of each who signs; passed on and forgotten.
        """

        def carry_out(_told: Callable[[float], None]) -> str:
            return self._service.lock(change, reason, signers)

        self._begin("lock", carry_out)

    def safety(self) -> None:
        """Show the safety desk."""
        if self._open_safety is not None:
            self._open_safety()

    def results(self) -> None:
        """Show the results of the trial."""
        if self._open_results is not None:
            self._open_results()

    def back(self) -> None:
        """Go back to the worklist."""
        if self._back is not None:
            self._back()

    def participant(self, participant: str) -> None:
        """Open the page of a participant of the rows."""
        known = [row["participant"] for row in self.overview.get("rows", [])] + self.overview.get("without", [])
        if self._open_participant is None or participant not in known:
            raise Refused(Message("overview.no_participant_page"))
        self._open_participant(participant)

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until what runs is done, at most so long; for scripts."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _begin(self, kind: Work, carry_out: Callable[[Callable[[float], None]], str]) -> None:
        if self._thread is not None and self._thread.is_alive():
            raise Refused(Message("overview.running"))
        begun = time.monotonic()

        def told(share: float) -> None:
            self.work = {
                "kind": kind,
                "share": share,
                "s": round(time.monotonic() - begun),
                "text": "",
                "fault": "",
            }

        def body() -> None:
            # An error that nobody foresaw goes on to the terminal; the page must not say for ever that work runs.
            text = ""
            fault: str = Message("overview.unforeseen")
            try:
                try:
                    text, ended = carry_out(told), ""
                except SAYABLE as error:
                    ended = messages.of(error)
                self.look()
                fault = ended
            finally:
                self.work = {"kind": "", "share": 1.0, "s": 0, "text": text, "fault": fault}

        told(0.0)
        self._thread = threading.Thread(target=body, name=f"workbench-{kind}", daemon=True)
        self._thread.start()
