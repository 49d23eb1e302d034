"""The results of a trial: snapshot and plan, estimates with intervals, courses, and the way back to the samples.

From here the report of what is shown is written and signed. It computes nothing. What takes long goes on a thread
of its own, since STOP of the same page must not wait for it; what an earlier person was shown is not kept for the
next one, as the page is made again with each sign-in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import traitlets

from workbench import messages
from workbench.errors import Refused
from workbench.messages import Message
from workbench.widgets._base import SAYABLE, SYNCED, Panel, compose, styles

NOTHING = "\nexport default { render() {} };\n"


class ResultsRequests(Protocol):
    """The functions of the record that the page uses (``dashboard.ResultsService`` has them)."""

    def page(self) -> Mapping[str, Any]:
        """What can be chosen; see :class:`ResultsPage`."""

    def run(self, snapshot: str, plan: str, *, progress: Callable[[int, int, str], None]) -> Mapping[str, Any]:
        """Run a plan on a snapshot.

        Parameters
        ----------
        snapshot, plan : as offered.
        progress : told the number of each analysis, of how many, and its name.
        """

    def rows(self, analysis: str) -> list[dict[str, Any]]:
        """The rows that entered an analysis."""

    def behind(self, key: str) -> dict[str, Any]:
        """What a row rests on."""

    def samples(self, recording: str, span: str, at: int, lane: int, language: str) -> dict[str, Any]:
        """A part of the samples behind a row on the scope.

        Parameters
        ----------
        recording, span : SHA-256, and first and last sample.
        at, lane : first sample and channel that are shown.
        language : of the figure's texts.
        """

    def report(self, language: str, *, progress: Callable[[int, int, str], None]) -> Mapping[str, Any]:
        """Write the report of what is shown.

        Parameters
        ----------
        language : of the report.
        progress : told the number of each step, of how many, and its name.
        """

    def sign(
        self, sha256: str, role: str, *, login: str, password: str, progress: Callable[[int, int, str], None]
    ) -> Mapping[str, Any]:
        """Sign the report and write the issue that shows it.

        Parameters
        ----------
        sha256 : of the draft that is shown.
        role, login, password : who signs, as whom.
        progress : as of :meth:`report`.
        """

    def read_report(self) -> str:
        """The report as one HTML page."""


class Drawing(Panel):
    """The program that draws figures on a page, which is sent once and shows nothing itself.

    Parameters
    ----------
    program : JavaScript that leaves ``window.Plotly``.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        super().__init__()

    @property
    def _esm(self) -> str:
        return self._program + NOTHING


class ResultsPage(Panel):
    """The results of a trial.

    Parameters
    ----------
    service : reads the record and runs plans.
    back : called to go back to the overview; None where there is none.
    open_participant : called with a pseudonym; None where no page shows one.

    Traits
    ------
    page : ``{"study", "read_at", "snapshots", "plans", "compares", "why", "signing", "login", "fault"}``; a plan
        ``""`` is the draft of the protocol, ``signing`` is ``"password"``, ``"script"`` or ``"nobody"``.
    work : ``{"kind", "n", "of", "name", "left", "fault"}`` of what runs or ran last: ``kind`` is ``"run"``,
        ``"report"`` or ``"sign"``, ``of`` 0 while nothing runs, ``left`` s, None while it cannot be told.
    result : ``{"compares", "why", "by", "simulated", "snapshot", "plan", "plan_sha256", "protocol", "words"}``,
        empty before the first run; ``words`` by language, see :mod:`workbench.dashboard.trial_results`.
    report : of what is shown, once it was written; see :func:`workbench.dashboard.signed_report.written`.
    opens : ``["back", "participant"]``, what leads elsewhere from here.
    """

    _esm = compose(
        "parts/dom", "parts/icons", "parts/figures", "parts/entry", "parts/signin", "parts/signed",
        "parts/signed_report", "results_page",
    )  # fmt: skip
    _css = styles("panels", "entry", "results")

    page = traitlets.Dict().tag(**SYNCED)
    work = traitlets.Dict().tag(**SYNCED)
    result = traitlets.Dict().tag(**SYNCED)
    report = traitlets.Dict().tag(**SYNCED)
    opens: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        service: ResultsRequests,
        *,
        back: Callable[[], None] | None = None,
        open_participant: Callable[[str], None] | None = None,
        **traits: Any,
    ) -> None:
        led = {"back": back, "participant": open_participant}
        super().__init__(opens=[name for name, leads in led.items() if leads is not None], **traits)
        self._service, self._back, self._open_participant = service, back, open_participant
        self._thread: threading.Thread | None = None
        self._people: set[str] = set()
        self.read()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """How many snapshots there are, and what was run."""
        facts: list[tuple[str, object]] = [("snapshots", len(self.page.get("snapshots", ())))]
        return str(self.page.get("study", "")), [*facts, ("plan", self.result.get("plan", "–"))]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Read again, run, write and sign the report, rows, what is behind one, samples, and lead elsewhere."""
        return {
            "read": self.read, "run": self.run, "rows": self.rows, "behind": self.behind, "samples": self.samples,
            "write": self.write, "sign": self.sign, "read_report": self.read_report, "back": self.back,
            "participant": self.participant,
        }  # fmt: skip

    def read(self) -> None:
        """Read what can be chosen; what cannot be read leaves the page as it was, with the fault beside it."""
        try:
            self.page = {**self._service.page(), "fault": ""}
        except SAYABLE as error:
            self.page = {**self.page, "fault": messages.of(error)}

    def run(self, snapshot: str, plan: str) -> None:
        """Begin to run a plan on a snapshot. Raises Refused while something runs.

        Parameters
        ----------
        snapshot, plan : as offered.
        """

        def made(told: Callable[[int, int, str], None]) -> None:
            try:
                result = dict(self._service.run(str(snapshot), str(plan), progress=told))
            except SAYABLE:
                self.result = self.report = {}
                raise
            self._people = set()
            self.report, self.result = {}, result

        self._begin("run", made)

    def write(self) -> None:
        """Begin to write the report of what is shown, in the language of the page. Raises as :meth:`run`."""

        def made(told: Callable[[int, int, str], None]) -> None:
            self.report = dict(self._service.report(str(self.language), progress=told))

        self._begin("report", made)

    def sign(self, sha256: str, role: str, login: str = "", password: str = "") -> None:
        """Begin to sign the report that is shown. Raises as :meth:`run`.

        Parameters
        ----------
        sha256 : of the draft.
        role : as whom.
        login, password : who signs; passed on and forgotten.
        """

        def made(told: Callable[[int, int, str], None]) -> None:
            signer = {"login": str(login), "password": str(password)}
            self.report = dict(self._service.sign(str(sha256), str(role), **signer, progress=told))

        self._begin("sign", made)

    def read_report(self) -> str:
        """The report as one HTML page."""
        return self._service.read_report()

    def _begin(self, kind: str, make: Callable[[Callable[[int, int, str], None]], None]) -> None:
        if self._thread is not None and self._thread.is_alive():
            raise Refused(Message("results.running"))
        begun = time.monotonic()

        def told(n: int, of: int, name: str) -> None:
            # Of the steps before this one; what the first takes nobody knows yet.
            left = (time.monotonic() - begun) / (n - 1) * (of - n + 1) if n > 1 else None
            self.work = {"kind": kind, "n": n, "of": of, "name": name, "left": left, "fault": ""}

        def body() -> None:
            # An error that nobody foresaw goes on to the terminal; the page must not say for ever that work runs.
            fault: str = Message("overview.unforeseen")
            try:
                try:
                    make(told)
                    fault = ""
                except SAYABLE as error:
                    fault = messages.of(error)
            finally:
                self.work = {"kind": kind, "n": 0, "of": 0, "name": "", "left": None, "fault": fault}

        self.work = {"kind": kind, "n": 0, "of": 1, "name": "", "left": None, "fault": ""}
        self._thread = threading.Thread(target=body, name="workbench-results", daemon=True)
        self._thread.start()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until what runs is done, at most so long; for scripts."""
        if self._thread is not None:
            self._thread.join(seconds)

    def rows(self, analysis: str) -> list[dict[str, Any]]:
        """The rows that entered an analysis."""
        found = self._service.rows(str(analysis))
        self._people |= {str(one["participant"]) for one in found}
        return found

    def behind(self, key: str) -> dict[str, Any]:
        """What a row rests on: exam or run, entry, recordings."""
        return self._service.behind(str(key))

    def samples(self, recording: str, span: str, at: int = 0, lane: int = 0) -> dict[str, Any]:
        """A part of the samples behind a row, in the language of the page.

        Parameters
        ----------
        recording, span : SHA-256, and first and last sample.
        at, lane : first sample and channel that are shown.
        """
        return self._service.samples(recording, span, int(at), int(lane), str(self.language))

    def back(self) -> None:
        """Go back to the overview."""
        if self._back is not None:
            self._back()

    def participant(self, participant: str) -> None:
        """Open the page of a participant of the rows. Raises Refused for another one."""
        if self._open_participant is None or participant not in self._people:
            raise Refused(Message("overview.no_participant_page"))
        self._open_participant(participant)
