"""The page of a session: worklist, run, approval, result, assessments and log below one shell that stays.

Everything that a page asks for is checked again by the record, the engine, or the form's definition; this module
wires the panels and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench import messages, outcomes, paradigms, world
from workbench.clinic import Client
from workbench.clinic.questions import Participants
from workbench.dashboard.access import RecordAccess
from workbench.dashboard.clinic_visits import ClinicVisits
from workbench.dashboard.overview import StudyService
from workbench.dashboard.participants import ParticipantService
from workbench.dashboard.results import run_result
from workbench.dashboard.safety_desk import DeskService
from workbench.dashboard.trial_results import ResultsService
from workbench.dashboard.visits import VisitService
from workbench.errors import Refused, WorkbenchError
from workbench.figures import interactive
from workbench.messages import Message
from workbench.outcomes import isncsci
from workbench.systems import BoundSystem
from workbench.widgets import (
    AssessmentForm,
    AssessmentPicker,
    DecoderPanel,
    Drawing,
    IsncsciForm,
    LiveSession,
    LogView,
    PageActions,
    ParticipantPage,
    ResultPanel,
    ResultsPage,
    SafetyDesk,
    SetupPanel,
    StudyPage,
    Worklist,
)
from workbench.widgets.stage import Stage

VIEWS = ("today", "study", "safety", "setup", "run", "result", "approve", "assess", "log")
OF_RECORD = ("today", "study", "safety", "assess")
"""Views that need the record alone, and no engine."""
OF_PERSON = ("approve", "result", "assess")
"""Views of the participant in session, or of the one that the page is about."""
PARTICIPANT = "participant"
"""A view below the worklist's, without a button of its own: it is opened from a row and led back to it."""
TRIAL = "results"
"""A view below the study's, in the same way."""
BELOW = {PARTICIPANT: "today", TRIAL: "study"}


class SessionPage:
    """One page of the session's dashboard. Each page has its own; the record and the engine are shared.

    Parameters
    ----------
    folder : of the study in Desk mode; None in Clinic mode.
    system : what a session runs; None for the system of the study, simulated.
    operator : stands in the record while nobody is signed in.
    speed : stream seconds a second; 1 with hardware.
    forms : opens on the forms and offers them for every visit of the record, not only for the chosen one.
    clinic : of the service of the study in Clinic mode, the page's own; None in Desk mode.

    Attributes
    ----------
    service : whose visit it is, and what an engine may do there. access : the record, as pages have it.
    screen : the shell. stage : the widget to display.
    """

    def __init__(
        self,
        folder: Path | None = None,
        system: BoundSystem | None = None,
        *,
        operator: str,
        speed: float = 1.0,
        forms: bool = False,
        clinic: Client | None = None,
    ) -> None:
        self._forms = forms
        # What needs an engine is reached from its own views alone, which a page in Clinic mode does not offer.
        if clinic is not None:
            self.service: Any = ClinicVisits(clinic, system)
            self.service.access.ended = self._somebody_else
        else:
            self.service = VisitService(Path(folder or "."), system, operator=operator, speed=speed)
        self.access: RecordAccess = self.service.access
        self._turn = world.clock.rlock()
        self._view = "today"
        self._shown: tuple[Any, ...] = ()
        self._kinds: list[dict[str, Any]] = []
        self._decoder: tuple[str, DecoderPanel] | None = None
        self._result: ResultPanel | None = None
        self._result_of = ""
        self._unread_result = False
        self._about = ""
        self._form: tuple[str, str, Any] | None = None
        self.participants = ParticipantService(self.service)
        self._person: ParticipantPage | None = None
        self.screen = LiveSession(**(self._engine() if self.service.runs_sessions else {}))
        self.screen.on_page(PageActions(self.show, self._sign_in, self._sign_out))
        self.worklist = self._new_worklist()
        self._study: StudyPage | None = None
        self._safety: SafetyDesk | None = None
        self._trial: tuple[ResultsPage, Drawing] | None = None
        if self.service.runs_sessions:
            self.log = LogView(self.service.folder / "engine" / "engine.log")
            self.setup = SetupPanel(self.service.hardware, start=self._start_set_up, blocked=self._not_confirmed)
        self.stage = Stage(self.screen)
        self.show(self._first_view())

    def _engine(self) -> dict[str, Any]:
        """What the screen asks of an engine."""
        return {
            "connect": self.service.connect, "start_session": self.service.new_session,
            "run_settings": self.service.run_settings, "run_kinds": self._run_kinds, "after_run": self._after_run,
            "after_session": self._after_session, "run_form": self._run_form,
        }  # fmt: skip

    def _new_worklist(self) -> Worklist:
        return Worklist(
            _Starting(self.service, self._start, self.refresh),
            choose=lambda _visit: self.refresh(),
            open_page=self._open_participant,
            study=lambda: self.show("study"),
            safety=lambda: self.show("safety"),
        )

    # --------------------------------------------------------------------------------- views
    def _first_view(self) -> str:
        if not self.service.runs_sessions:
            return "today"
        if self._forms and self.service.visits():
            return "assess"
        return "run" if self.service.session() else "today"

    def show(self, view: str) -> None:
        """Show a view below the shell. ``"run"`` is the shell's own."""
        with self._turn:
            self._view = view
            running = self.service.session() if view in OF_PERSON else None
            if running is not None:
                # When the session ends, the page stays with whom it shows.
                self.service.choose(running["visit"])
            self._let_go()
            panels = {
                "today": self._today,
                "study": self._overview,
                "safety": self._desk,
                TRIAL: self._trial_results,
                "setup": self._set_up,
                "approve": self._approve,
                "result": self._results,
                "assess": self._assess,
                PARTICIPANT: self._participant,
            }
            self.stage.show(*(panels[view]() if view in panels else (self.log,) if view == "log" else ()))
            self.refresh()

    def _lead_on(self, view: str, *, watching: str = "run") -> None:
        """Show what has come of a view to whoever still looks at it; nobody is taken from another one."""
        with self._turn:
            if self._view == watching:
                self.show(view)
            else:
                self.refresh()

    def refresh(self) -> None:
        """Whose visit, what waits, who is signed in: read again, on every page alike."""
        with suppress(WorkbenchError):  # a record that is held by another writer; the next look shows it
            self._read_place()

    def _let_go(self) -> bool:
        """Let decoder and result of somebody else than the page is about go; whether there was another one."""
        person = self.service.participant_id()
        if person == self._about:
            return False
        self._about, self._decoder, self._result, self._unread_result = person, None, None, False
        return True

    def _read_place(self) -> None:
        with self._turn:
            if self._let_go() and self._view in ("approve", "result"):
                self.show("run" if self.service.session() else "today")
                return
        with self.service.reading():
            visit, waiting, can_sign_in = (
                self.service.at_hand(),
                self.service.awaiting(),
                self.service.takes_sign_in(),
            )
            # In a session the bar has its steps alone; the worklist leads to both all the same.
            hidden = {"study", "safety"} if self.service.session() else set()
            hidden |= set() if self._result is not None else {"result"}
        with self._turn:
            self.screen.place = {
                "study": visit.get("study", ""),
                "participant": visit.get("participant", ""),
                "visit": visit.get("name", ""),
                "confirmed": visit.get("confirmed", ""),
                "view": BELOW.get(self._view, self._view),
                "views": [name for name in self._views() if name not in hidden],
                "badges": {
                    name: n for name, n in (("approve", len(waiting)), ("result", int(self._unread_result))) if n
                },
                "signed_in": self.service.signed_in,
                "can_sign_in": can_sign_in,
            }
            if self._decoder is not None and not self._decoder[1].decision:
                self._decoder[1].decided(self.service.newest_decision(self._decoder[0]))

    def _views(self) -> tuple[str, ...]:
        return VIEWS if self.service.runs_sessions else OF_RECORD

    def _today(self) -> tuple[Any, ...]:
        self.worklist.look()
        return (self.worklist,)

    def _open_participant(self, visit_id: str) -> None:
        """Show the page of the participant of a visit."""
        self._open_person(self.service.participant_of(visit_id))

    def _open_by_pseudonym(self, pseudonym: str) -> None:
        """Show the page of a participant of the overview."""
        people = self.access.ask(Participants())
        self._open_person(next(str(row["id"]) for row in people if row["pseudonym"] == pseudonym))

    def _open_person(self, participant_id: str) -> None:
        """Show a participant's page; it is made again, so that nothing of another one is left."""
        opened = ParticipantPage(
            self.participants,
            participant_id,
            back=lambda: self.show("today"),
            start_session=self._to_session if self.service.runs_sessions else None,
            show_result=self._show_run if self.service.runs_sessions else None,
        )
        # Wherever it was opened from: nobody else stays chosen, whose forms or session the next step would reach.
        self.service.open_person(participant_id)
        self._person = opened
        self.show(PARTICIPANT)

    def _to_session(self, visit_id: str) -> None:
        """Show the worklist with a visit chosen, where the code of the person is read and the session starts."""
        if self.service.session() is None:
            self.worklist.take(visit_id)
            self.show("today")
            return
        # One session at a time: of this visit it goes on, any other one is refused by name.
        running = self.service.session() or {}
        if running.get("visit") != visit_id:
            raise Refused(Message("visit.session_under_way", participant=running.get("participant", "")))
        self.show("run")

    def _show_run(self, run_id: str) -> None:
        """Show the result of a run of whom the page is about. Raises Refused in the session of somebody else."""
        with self.service.record() as study:
            session = study.get("session", study.get("run", run_id)["session_id"])
        person, running = self.service.participant_of(session["visit_id"]), self.service.session()
        if running is not None and running["person"] != person:
            raise Refused(Message("visit.session_under_way", participant=running["participant"]))
        self.service.open_person(person)
        self._make_result(run_id)
        self.show("result")

    def _participant(self) -> tuple[Any, ...]:
        if self._person is None:
            return self._today()
        self._person.read()
        return (self._person,)

    def _overview(self) -> tuple[Any, ...]:
        """How the study stands; read when it is first asked for."""
        if self._study is None:
            service = StudyService(self.access)
            self._study = StudyPage(
                service,
                back=lambda: self.show("today"),
                open_participant=self._open_by_pseudonym,
                open_safety=lambda: self.show("safety"),
                open_results=lambda: self.show(TRIAL),
            )
        else:
            self._study.look()
        return (self._study,)

    def _desk(self) -> tuple[Any, ...]:
        """The safety desk; at first it is read when the browser asks."""
        if self._safety is None:
            self._safety = SafetyDesk(DeskService(self.access), open_participant=self._open_by_pseudonym)
        else:
            self._safety.read()
        return (self._safety,)

    def _trial_results(self) -> tuple[Any, ...]:
        """The results of the trial; of who was there before nothing is left."""
        if self._trial is None:
            page = ResultsPage(
                ResultsService(self.access), back=lambda: self.show("study"),
                open_participant=self._open_by_pseudonym,
            )  # fmt: skip
            self._trial = page, Drawing(interactive.program())
        else:
            self._trial[0].read()
        return self._trial

    def _set_up(self) -> tuple[Any, ...]:
        self.setup.refresh()
        return (self.setup,)

    def _approve(self) -> tuple[Any, ...]:
        """The newest fit that waits, else the one that was shown last, else a sentence."""
        waiting = self.service.awaiting()
        if waiting and (self._decoder is None or self._decoder[0] != waiting[-1]["sha256"]):
            row = waiting[-1]
            actions: dict[str, Callable[[str], None]] = {"another": lambda _sha256: self.show("run")}
            if self.service.may_recentre(row):
                actions["recentre"] = self._recentre
            about = self.service.approval(row["sha256"])
            panel = DecoderPanel.of_fit(row, decide=self._decide, actions=actions, **about)
            self._decoder = (row["sha256"], panel)
        if self._decoder is None:
            return (DecoderPanel("", name="", accuracies={}),)
        return (self._decoder[1],)

    def _results(self) -> tuple[Any, ...]:
        self._unread_result = False
        return (self._result,) if self._result is not None else ()

    def _assess(self) -> tuple[Any, ...]:
        """The forms of the visit in session, or of the one that was chosen; never of another."""
        visits = self._visits_offered()
        visit = self.service.visit()
        offered = [(name, outcomes.load(name).definition.title) for name in outcomes.available()]
        first = self.service.first_forms
        offered.sort(key=lambda one: (one[0] not in first, one[1]))
        picker = AssessmentPicker(visits, offered, pick=self._pick, rater=self.service.who)
        self._picker = picker
        measure = self._form[1] if self._form else "isncsci" if self._forms else first[0]
        picker.choose(visit["id"], measure)
        return (picker, self._form_of(visit, measure))

    def _visits_offered(self) -> list[tuple[str, str]]:
        """The visit in session or chosen; on the page of forms every visit while no session is under way."""
        every_visit = self.service.visits() if self._forms else []
        if every_visit and not self.service.visit():
            name = self.service.at_hand().get("participant", "")
            own = [one for one in every_visit if one[1].startswith(f"{name} · ")] if name else every_visit
            if not own:
                raise Refused(Message("visit.none_of_theirs", participant=name))
            self.service.choose(own[0][0])
        visit = self.service.visit()
        if not visit:
            raise Refused(Message("visit.none_chosen"))
        if every_visit and self.service.session() is None:
            return every_visit
        return [(visit["id"], f"{visit['participant']} · {visit['name']}")]

    def _pick(self, visit_id: str, measure: str) -> None:
        if self._view != "assess":
            return
        if self._forms and self.service.session() is None:
            self.service.choose(visit_id)
        visit = self.service.visit()
        if visit.get("id") == visit_id:
            self.stage.show(self._picker, self._form_of(visit, measure))
            self.refresh()

    def _visit_of_entries(self) -> tuple[str, str] | None:
        """The visit that forms are bound to. Refused while people can sign in and nobody has."""
        if not self.service.signed_in and self.service.takes_sign_in():
            raise Refused(Message("visit.sign_in_to_rate"))
        running: tuple[str, str] | None = self.service.visit_in_session()
        return running

    def _form_of(self, visit: Mapping[str, str], measure: str) -> Any:
        """The form of a measure, bound to its visit; the same one while the page lives, drafts in any case."""
        if self._form is not None and self._form[:2] == (visit["id"], measure):
            return self._form[2]
        about: dict[str, Any] = {
            "store": self.access.forms(visit["id"]),
            "visit_id": visit["id"],
            "rater": self.service.who,
            "place": (visit["study"], visit["participant"], visit["name"]),
            "session": self._visit_of_entries,
        }
        made = (
            IsncsciForm(isncsci, **about)
            if measure == "isncsci"
            else AssessmentForm.of(outcomes.load(measure), **about)
        )
        self._form = (visit["id"], measure, made)
        return made

    # ------------------------------------------------------------------------------ what happens
    def _start(self) -> None:
        """Start the session that was confirmed, and show it."""
        self.screen.start()
        self.show("run")

    def _start_set_up(self) -> None:
        """Start the session from the set-up; the confirmation is used up on the worklist too."""
        try:
            self._start()
        finally:
            self.worklist.somebody_else()

    def _not_confirmed(self) -> str | None:
        """Why no session can start although the set-up is complete."""
        running = self.service.session()
        if running is not None:
            return Message("visit.session_under_way", participant=running["participant"])
        if why := self.service.consent_refusal():
            refusal: str = why
            return refusal
        return None if self.service.confirmed else Message("visit.not_confirmed")

    def _run_form(self) -> dict[str, Any]:
        system = self.service.system
        targets = paradigms.from_params(system.paradigm, system.paradigm_params).targets
        return {"paradigm": system.paradigm, "n_trials": system.trials[0], "targets": bool(targets)}

    def _run_kinds(self) -> list[dict[str, Any]]:
        """The kinds of run that can start; they and the rest are read again when the record has changed."""
        state = self.service.state()
        if state != self._shown:
            self._read_place()
            self._kinds = self.service.run_kinds()
            # Last: what could not be read, or has changed meanwhile, is read at the next look.
            self._shown = state
        return self._kinds

    def _after_run(self, status: dict[str, Any]) -> None:
        """Take the run in, show its result; fit after a calibration."""
        run = status["run"]
        for sentence in self.service.ingest():
            self.log.append(sentence)
        if run["kind"] in ("calibration", "passive") and run["state"] == "finished":
            begun = world.clock.monotonic()
            self.screen.tell("run.fitting", s="0")
            sha256 = self.service.fit(
                run["recording"], progress=lambda share: self._fitting(world.clock.monotonic() - begun, share)
            )
            self.screen.tell("run.fitted", hash=sha256[:8])
            self._hold_result(run)
            self._lead_on("approve")
            return
        self._hold_result(run)
        # After a stop the effector is looked at first: the result waits under its own name.
        self._lead_on("result" if run["state"] == "finished" else "run")

    def _recentre(self, sha256: str) -> None:
        """Re-centre the decoder in use on the runs of a fit, on a thread of its own: STOP must not wait for it."""

        def follow(_beat: Callable[[], None]) -> None:
            begun = world.clock.monotonic()
            try:
                made = self.service.recentre(
                    sha256, progress=lambda share: self._fitting(world.clock.monotonic() - begun, share)
                )
                self.screen.tell("run.fitted", hash=made[:8])
                self._lead_on("approve", watching="approve")
            except WorkbenchError as error:
                self.log.append(messages.of(error))
                self.screen.tell("run.not_recentred", why=messages.of(error))

        world.start_thread("workbench-recentre", follow)

    def _fitting(self, seconds: float, share: float) -> None:
        """How long the fit has gone on, and how long it will at its pace so far."""
        if share <= 0.0:
            self.screen.tell("run.fitting", s=f"{seconds:.0f}")
        else:
            left = max(1.0, seconds * (1.0 - share) / share)
            self.screen.tell("run.fitting_left", s=f"{seconds:.0f}", left=f"{left:.0f}")

    def _hold_result(self, run: Mapping[str, Any]) -> None:
        """Compute what the run came to, from the record."""
        self._make_result(str(run["id"]), total=run["trials_total"])
        with self._turn:
            self._unread_result = True

    def _make_result(self, run_id: str, **more: Any) -> None:
        waiting = bool(self.service.awaiting())
        with self.service.record() as study:
            result = {**run_result(study, run_id, awaiting=waiting), **more}

        def note(*, text: str, tags: tuple[str, ...]) -> str:
            kept: str = self.service.note(run_id, text, tags)
            return kept

        with self._turn:
            self._let_go()
            self._result, self._result_of = ResultPanel(result, act=self._act, note=note), run_id

    def _act(self, name: str) -> str:
        """One of the next steps of a result. A report is made in the language of the page and named beside it."""
        if name != "report":
            self.show({"approve": "approve", "assess": "assess"}.get(name, "run"))
            return ""
        from workbench.reports import session_report

        with self.service.record() as study:
            session = study.get("run", self._result_of)["session_id"]
            files = session_report(study, language=str(self.screen.language), session_id=session)
        return Message("visit.report_kept", path=files.pdf.relative_to(self.service.folder).as_posix())

    def _after_session(self) -> None:
        for sentence in self.service.ingest():
            self.log.append(sentence)
        self.show("today")

    def _decide(self, sha256: str, **how: str) -> dict[str, str]:
        decided: dict[str, str] = self.service.decide(sha256, **how)
        self.refresh()
        return decided

    def _sign_in(self, *, login: str, password: str) -> None:
        self.service.sign_in(login=login, password=password)
        self._somebody_else()

    def _sign_out(self) -> None:
        self.service.sign_out()
        self.worklist.somebody_else()
        self._somebody_else()

    def _somebody_else(self) -> None:
        """Show the view to whoever is there now; panels that carry the name of who signs are made again."""
        self._decoder = self._form = self._trial = None
        if self.service.runs_sessions:
            self.show(self._view)
            return
        # What one person was answered is nothing that another one may see, and nobody sees anything.
        self._person = self._study = self._safety = None
        self.worklist = self._new_worklist()
        self.show("today")


class _Starting:
    """The service as the worklist sees it: it starts through the page's screen, which shows what it confirms."""

    def __init__(self, service: Any, start: Callable[[], None], shown: Callable[[], None]) -> None:
        self.worklist, self.details, self.forget = service.worklist, service.details, service.forget
        self.chosen = service.chosen
        self.choose_system, self.screen = service.choose_system, service.screen
        self._service, self._start, self._shown = service, start, shown

    def confirm(self, visit_id: str, code: str) -> Mapping[str, Any]:
        """Check the code against the participant of the visit; the bar shows the identity that was confirmed."""
        sentence: Mapping[str, Any] = self._service.confirm(visit_id, code)
        self._shown()
        return sentence

    def start(self, visit_id: str) -> None:
        """Start the session of the visit that was confirmed; refused for any other."""
        if self._service.confirmed.get("visit") != visit_id:
            raise Refused(Message("visit.this_not_confirmed"))
        self._start()
