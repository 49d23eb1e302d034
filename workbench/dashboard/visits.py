"""The right person: the day's visits, one confirmed before a session, and everything that is bound to it.

A :class:`VisitService` stands between a page and the record. It opens the record for each request, so that several
pages and processes share it, and it holds what a page must not: who is signed in, and a confirmation, which is
good for one start of one visit.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from workbench import control, live, runs, systems, world
from workbench.dashboard import decoder_facts
from workbench.dashboard.access import OpenRecord
from workbench.dashboard.at_hand import AtHand
from workbench.dashboard.confirming import confirmation, consent_fact
from workbench.dashboard.hardware import SetupService
from workbench.dashboard.results import approval_fact, signer_of
from workbench.dashboard.worklist_rows import row_of, short, title_of
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.live._engine_folder import EngineFolder, in_turn
from workbench.live.client import Progress
from workbench.messages import Message
from workbench.runs import approve as approving
from workbench.runs import grant
from workbench.study import Signer, Study, home_use, stores
from workbench.study.approvals import system_of
from workbench.study.drafts import FILE as DRAFTS_FILE
from workbench.study.planned import systems_at
from workbench.systems import BoundSystem, System
from workbench.vocabulary import Note


class VisitService:
    """What a page may ask of the record: the worklist, a confirmation, a session, and what awaits a decision.

    Parameters
    ----------
    folder : of the study.
    system : what a session runs: streams, paradigm, decoder, effector; None for the system of the study,
        simulated. A session of a participant who is not simulated binds the same system to hardware.
    operator : stands in the record while nobody is signed in.
    speed : stream seconds a second of what is simulated.
    place : where its sessions take place; at home they go by the rule of the protocol in force.

    Attributes
    ----------
    hardware : the set-up of the site, which a session of a participant who is not simulated needs.
    access : the record as pages have it.
    """

    runs_sessions = True

    def __init__(
        self,
        folder: Path,
        system: BoundSystem | None = None,
        *,
        operator: str,
        speed: float = 1.0,
        place: str = "clinic",
    ) -> None:
        self.folder = Path(folder)
        followed, self._changed = systems.system_of(self.folder)
        self.system = systems.simulate(followed) if system is None else system
        self._operator, self._speed, self._place = operator, speed, place
        self._usual = self.system
        self.hardware = SetupService(
            self.folder,
            self.system.system,
            task=self.system.task.name,
            who=lambda: self.who,
            decoder=self._approved_decoder,
        )
        self.access = OpenRecord(self)
        self._signer: Signer | None = None
        self._confirmed: dict[str, str] = {}
        self._screenings: dict[str, dict[str, str]] = {}
        self._at_hand = AtHand()
        # A page's own requests queue here and not in SQLite, which would let the second one wait and then fail.
        self._writing = world.clock.rlock()
        self._open: Study | None = None

    @contextmanager
    def record(self) -> Iterator[Study]:
        """The record, open for one request in the name of who is signed in; requests within it share it."""
        with self._writing:
            if self._open is not None and self._open.actor == self.who:
                yield self._open
                return
            with Study.open(self.folder, actor=self.who) as study:
                outer, self._open = self._open, study
                try:
                    yield study
                finally:
                    self._open = outer

    reading = record
    """What several requests of a page share."""

    def state(self) -> tuple[Any, ...]:
        """What is different whenever the record, or this page's view of it, has something else to show.

        Looking at it is cheap: a page that asks every few seconds reads the record only when it has changed.
        """
        lock = live.find(self.folder) or {}
        fits = sorted((self.folder / "decoders").glob(f"*/{approving.FIT}"))
        page = (self.who, self.signed_in, astuple(self._at_hand), tuple(self._confirmed.items()), self.system.key)
        # Drafts are kept outside the record.
        path = self.folder / DRAFTS_FILE
        drafts = path.stat().st_mtime_ns if path.exists() else 0
        # The age of a decoder is shown in days.
        return (stores.state(self.folder), fits, lock.get("session_id"), world.clock.local().date(), drafts, *page)

    # -------------------------------------------------------------------------------- people
    @property
    def who(self) -> str:
        """Name of who is signed in, else of the operator of this computer."""
        return self._signer.name if self._signer is not None else self._operator

    @property
    def signed_in(self) -> str:
        """Name of who is signed in, ``""`` for nobody."""
        return self._signer.name if self._signer is not None else ""

    @property
    def login(self) -> str:
        """Sign-in name of who is signed in, ``""`` for nobody."""
        return self._signer.login if self._signer is not None else ""

    @property
    def person_id(self) -> str:
        """Id of who is signed in, ``""`` for nobody."""
        return self._signer.person_id if self._signer is not None else ""

    def sign_in(self, *, login: str, password: str) -> None:
        """Sign a person in for this page. Raises Refused; the password is checked and forgotten."""
        with self.record() as study:
            self._signer = study.sign_in(login, password)

    def sign_out(self) -> None:
        """Lock the page: nobody is signed in, and no confirmation holds."""
        self._signer = None
        self.forget()

    def takes_sign_in(self) -> bool:
        """Whether the study has people who can sign in."""
        with self.record() as study:
            return bool(study.people())

    def signer(self, study: Study, participant: Mapping[str, Any]) -> Signer:
        """Who signs for this participant: the person signed in, or a script where the participant is simulated.

        Raises
        ------
        Refused
            When nobody is signed in and a person has to.
        """
        if self._signer is not None:
            return self._signer
        if participant["simulated"] and not study.people():
            return study.script_signer(self._operator)
        raise Refused(Message("visit.sign_in"))

    # ------------------------------------------------------------------------------ worklist
    def worklist(self) -> dict[str, Any]:
        """The day's visits as rows of the page (see ``widgets.Worklist``)."""
        today = world.clock.local().date()
        running = self.session()
        with self.record() as study:
            entries = study.worklist(today)
            rows = [row_of(entry, running, today, self.system) for entry in entries]
            code = study.code
            hints = [] if study.people() else [self._nobody_hint()]
            hints += [{"text": self._changed}] if self._changed else []
            hints += [] if rows else [{"key": "worklist.hint.no_visit", "args": {}}]
        now = world.clock.local()
        read_at = now.strftime("%H:%M:%S")
        return {"date": today.isoformat(), "read_at": read_at, "study": code, "hints": hints, "rows": rows}

    def _nobody_hint(self) -> dict[str, Any]:
        """What a study without people can do, and the command that enters the first."""
        folder = shlex.quote(str(self.folder))
        command = f"workbench people add {folder} LOGIN --name NAME --roles operator,engineer"
        return {"key": "worklist.hint.nobody", "args": {"operator": self._operator, "command": command}}

    def details(self, visit_id: str) -> dict[str, Any]:
        """Consent, decoder, approval, effector and plan of a visit, and what blocks its start."""
        self.choose(visit_id)
        running = self.session()
        with self.record() as study:
            person = self._person(study, visit_id)
            decoder = self._decoder_in_use(study, person["id"])
            drafts = study.drafts.list(visit_id=visit_id)
            blocked = self._blocked(study, person, running)
            screening = self._screening(study, person)
        followed = {"system": self.system.system.title, "task": self.system.task.title}
        facts = [
            {"name": "system", "key": "worklist.system", "args": followed},
            consent_fact(person),
            decoder_facts.decoder_fact(decoder),
        ]
        if decoder:
            facts.append(approval_fact(decoder["approval"]))
        real = self._real_effector(person)
        moved = {"name": self._effector_title}
        key = "worklist.effector_real" if real else "worklist.effector_simulated"
        effector = {"name": "effector", "key": key, "args": moved}
        trials = self.system.trials
        plan = [{"key": "worklist.plan.calibrate", "args": {"n": n}} for n in trials[:-1]]
        plan.append({"key": "worklist.plan.online", "args": {"n": trials[-1]}})
        plan += [{"key": "worklist.plan.check", "args": {"what": check}} for check in self.system.system.checks]
        plan += [{"key": "worklist.plan.draft", "args": {"form": title_of(draft.form)}} for draft in drafts]
        choice = self.choices() if running is None else []
        return {
            "facts": [*facts, effector],
            "plan": plan,
            "blocked": blocked,
            "screening": screening,
            "systems": choice,
            "system": self.system.key,
        }

    def _screening(self, study: Study, person: Mapping[str, Any]) -> dict[str, str] | None:
        """What is known of seizures of a participant whose session shows flickering light, else None."""
        if not self.system.flickers or person["simulated"]:
            return None
        known = self._screenings.get(person["id"]) or systems.screening_of(study, person["id"])
        return {"answer": "", "by": "", "utc": ""} | known

    def screen(self, visit_id: str, answer: str) -> None:
        """Enter what the participant of a visit answered to the question about seizures.

        Parameters
        ----------
        visit_id : of the row that is chosen.
        answer : ``"none"`` or ``"history"``.

        Raises
        ------
        BadValue
            For another answer.
        """
        with self.record() as study:
            person = self._person(study, visit_id)
        self._screenings[person["id"]] = systems.screen(answer, by=self.who)

    def choices(self) -> list[dict[str, str]]:
        """What the session of the chosen visit can run: ``key``; ``system`` and ``task`` as words.

        For a person what the protocol plans at the visit, for a simulated participant all that can be played.
        """
        with self.record() as study:
            visit = self._at_hand.visit
            if visit and not self._person(study, visit)["simulated"]:
                offered = _installed(systems_at(study, visit))
            else:
                offered = [one for one in map(systems.load, systems.available()) if one.simulator is not None]
        return [
            {"key": f"{system.name} {task.name}", "system": system.title, "task": task.title}
            for system in offered
            for task in system.tasks
        ]

    def choose_system(self, key: str) -> None:
        """Choose what the next session of the chosen visit runs.

        Parameters
        ----------
        key : of one of :meth:`choices`.

        Raises
        ------
        Refused
            While a session is under way.
        BadValue
            For a key that is not offered.
        """
        running = self.session()
        if running is not None:
            raise Refused(Message("visit.session_under_way", participant=running["participant"]))
        if key not in [choice["key"] for choice in self.choices()]:
            raise BadValue(Message("visit.no_such_system", got=repr(key)))
        name, task = key.split(" ")
        self._follow(name, task)
        # What was confirmed was confirmed for another session.
        self.forget()

    def _follow(self, name: str, task: str = "") -> None:
        usual = self._usual.system.name == name and task in ("", self._usual.task.name)
        self.system = self._usual if usual else systems.simulate(systems.load(name), task=task)
        self.hardware.follow(self.system.system, task=self.system.task.name)

    def confirm(self, visit_id: str, code: str) -> dict[str, str]:
        """Check a wristband or participant code against the participant of a visit.

        Parameters
        ----------
        visit_id : of the row that is chosen.
        code : as it was read or typed; upper and lower case are one.

        Raises
        ------
        Refused
            The code belongs to somebody else, to nobody, or to more than one.
        """
        # A reading that fails takes the one before back: nobody knows any longer who is there.
        self.forget()
        with self.record() as study:
            person = self._person(study, visit_id)
            visit = study.get("visit", visit_id)
            everybody = study.rows("participant")
        self._confirmed = confirmation(person, visit, everybody, code) | {"who": self.who}
        return {name: self._confirmed[name] for name in ("clock", "by")}

    def forget(self) -> None:
        """Take a confirmation back."""
        self._confirmed = {}

    @property
    def confirmed(self) -> Mapping[str, str]:
        """The confirmation that holds: ``visit, clock, by, participant, name, who``; empty without one."""
        return dict(self._confirmed)

    # ------------------------------------------------------------------------------- session
    def session(self) -> dict[str, str] | None:
        """The session that runs on this computer: ids of session, visit and participant, and their names."""
        lock = live.find(self.folder)
        if lock is None:
            return None
        with self.record() as study:
            rows = study.rows("session", id=str(lock["session_id"]))
            if not rows:
                return None
            visit = study.get("visit", rows[0]["visit_id"])
            person = study.get("participant", visit["participant_id"])
        names = {"participant": person["pseudonym"], "visit_name": visit["name"], "person": person["id"]}
        names["system"] = system_of(rows[0])
        return {"session": rows[0]["id"], "visit": visit["id"], "identity": rows[0]["identity"], **names}

    def visit_in_session(self) -> tuple[str, str] | None:
        """The visit that runs, as ``(id, words)``: what a form of another visit is refused with."""
        running = self.session()
        return (
            None if running is None else (running["visit"], f"{running['participant']} · {running['visit_name']}")
        )

    def new_session(self, progress: Progress | None = None) -> Any:
        """Start the session of the visit that was confirmed; the confirmation is used up. Returns the client.

        ``progress`` is called with each status of the engine on the way.

        Raises
        ------
        Refused
            Without a confirmation, with another session under way, for a participant on hold, for one who is not
            simulated while no consent is recorded or no hardware is set up, or who was not asked about seizures
            before flickering light.
        """
        # Used up whatever follows: a start that is refused needs the code again.
        confirmed, self._confirmed = self._confirmed, {}
        if not confirmed:
            raise Refused(Message("visit.not_confirmed"))
        with self.record() as study:
            person = self._person(study, confirmed["visit"])
            # Whatever visit was looked at last, this one decides which system runs.
            self.choose(confirmed["visit"])
            blocked = self._blocked(study, person, self.session())
            # Asked again: the page may show a state of minutes ago.
            if blocked:
                raise Refused(blocked["text"])
            self.signer(study, person)
            identity = f"{confirmed['by']}, {confirmed['clock']}, {confirmed['who']}"
            about: dict[str, Any] = {"visit": confirmed["visit"], "operator": self.who, "identity": identity}
            if self._place == home_use.PLACE:
                about |= {"place": self._place, "home": home_use.rule_of(study, person["id"])}
            screening = self._screening(study, person)
            if screening is not None:
                if not screening["answer"]:
                    raise Refused(Message("flicker.not_asked"))
                about["screening"] = screening
            if person["simulated"]:
                plan = self.system.new_session(study, **about, speed=self._speed)
            else:
                plan = self.hardware.new_session(study, **about)
        return self._granting(live.start(plan, progress=progress))

    def connect(self) -> Any:
        """A client of the engine that runs, None without one; the page then follows the system of its session."""
        running = self.session()
        if running is not None and running["system"] not in ("", self.system.key):
            with self.record() as study, suppress(WorkbenchError):
                # A system that is not installed here takes no run, and must not take STOP from this page.
                self.system = systems.bound_in(study.get("session", running["session"])["plan"])
        return self._granting(live.attach(self.folder)) if live.find(self.folder) else None

    def _granting(self, client: Any) -> Any:
        """A client that asks the record for each grant, in the name of who is signed in then."""
        client.use_grants(self._grant)
        return client

    def _grant(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self.record() as study:
            session = study.get("session", str(request["session_id"]))
            person = self._person(study, session["visit_id"])
            return grant.issue(study, request, signer=self.signer(study, person))

    def run_kinds(self) -> list[dict[str, Any]]:
        """The kinds of run that can start, with the decoder that Online would use."""
        running = self.session()
        decoder = self._online_decoder(running)
        online: dict[str, Any] = {"kind": "online", "ok": decoder is not None, "why": "why.no_decoder"}
        if decoder is not None:
            granted = decoder["approval"]
            about = {
                "hash": short(decoder["sha256"]),
                "days": decoder_facts.days_since(decoder["fitted_at"]),
                "by": signer_of(granted),
            }
            online["decoder"] = about | {"when": granted["utc"][:10]}
        offered = {"calibration": {"kind": "calibration", "ok": True, "why": ""}, "online": online}
        # What the participant feels in a sham run is drawn; the decoder that is recorded is that of an online run.
        offered["sham"] = online | {"kind": "sham"}
        system = self._system().system
        offered["mapping"] = {"kind": "mapping", "ok": True, "why": "", "n_trials": len(system.settings)}
        return [offered.get(kind, {"kind": kind, "ok": True, "why": ""}) for kind in system.procedures]

    def run_settings(self, kind: str) -> dict[str, Any]:
        """Keyword arguments of ``client.start_run`` for a kind of run."""
        running = self.session()
        if running is not None and running["system"] not in ("", self.system.key):
            raise Refused(Message("visit.other_system", system=running["system"]))
        system = self._system()
        settings: dict[str, Any] = {"paradigm": system.paradigm_of(kind), "params": system.params_of(kind)}
        settings["seed"] = 1
        if kind not in ("online", "sham"):
            return settings
        decoder = self._online_decoder(running)
        if decoder is None:
            raise Refused(Message("visit.no_decoder"))
        return settings | {"decoder_folder": self.folder / decoder["path"]}

    def ingest(self) -> list[str]:
        """Take finished runs into the record; what was done, one sentence each."""
        with self.record() as study:
            return list(runs.ingest_pending(study))

    # ------------------------------------------------------------------------------ decoders
    def fit(self, recording: str, *, progress: Callable[[float], None] = lambda share: None) -> str:
        """Fit a decoder on a calibration run and enter it: it awaits a decision on every page. Its hash.

        Every page asks for it when the run has ended; one fits, the others take what it entered in the record.

        Parameters
        ----------
        recording : of the run, relative to the study's folder.
        progress : called about every second with the share that is done, 0–1.
        """
        system, last = self._system(), self._approved_decoder()
        recipe = (system.decoder, system.decoder_params)
        with in_turn(EngineFolder(self.folder), "fit", while_waiting=lambda: progress(0.0)):
            with self.record() as study:
                taken_in = [row["sha256"] for row in study.rows("recording", path=recording)]
                if taken_in and (sha256 := approving.entered(study, taken_in, *recipe)):
                    return sha256
            before = self.folder / last["path"] if last else None
            fitted = runs.run_fit(self.folder, [self.folder / recording], *recipe, last=before, progress=progress)
            with self.record() as study:
                return approving.enter(study, fitted)

    def recentre(self, sha256: str, *, progress: Callable[[float], None] = lambda share: None) -> str:
        """Re-centre the decoder in use on the runs of a fit that waits, and enter it: it waits too. Its hash.

        Parameters
        ----------
        sha256 : of the fit.
        progress : called about every second with the share that is done, 0–1.

        Raises
        ------
        Refused
            When no decoder is in use for this participant, system and task.
        BadValue
            When it has no centre that can be moved.
        """
        last = self._approved_decoder()
        if last is None:
            raise Refused(Message("visit.nothing_to_recentre"))
        with self.record() as study:
            waiting = {row["sha256"]: row for row in study.decoders_awaiting(self.participant_id())}
            if sha256 not in waiting:
                raise Refused(Message("visit.not_waiting", hash=sha256[:8]))
            # The runs of its own session: a decoder that was re-centred before names those of its origin first.
            own = list(waiting[sha256]["recordings"])[-len(waiting[sha256]["metrics"]["runs"]) :]
            paths = [self.folder / study.rows("recording", sha256=one)[0]["path"] for one in own]
        fitted = runs.run_fit(
            self.folder,
            paths,
            str(last["name"]),
            last=self.folder / last["path"],
            recentre=True,
            progress=progress,
        )
        with self.record() as study:
            return approving.enter(study, fitted)

    def awaiting(self) -> list[dict[str, Any]]:
        """Fits of the participant in session, or chosen, that wait for a decision, newest last."""
        person = self.participant_id()
        if not person:
            return []
        with self.record() as study:
            # A fit whose page was closed before it was entered appears here.
            approving.enter_waiting(study)
            return list(study.decoders_awaiting(person, system=self.system.key))

    def newest_decision(self, sha256: str) -> dict[str, str]:
        """The decision on a decoder that stands, as the page shows it; empty without one."""
        person = self.participant_id()
        with self.record() as study:
            decision = (
                study.approval_of(sha256, effector=self._effector, participant_id=person) if person else None
            )
        return decoder_facts.decision_of(decision) if decision else {}

    def approval(self, sha256: str) -> dict[str, Any]:
        """What ``DecoderPanel.of_fit`` needs beside the decoder's row: checks, signing and the other decoders."""
        person_id = self.participant_id()
        with self.record() as study:
            person = study.get("participant", person_id)
            checks = approving.checks(
                study, sha256, effector=self._effector, participant_id=person_id, system=self.system.key
            )
            in_use = self._decoder_in_use(study, person_id)
            others = decoder_facts.others(study, person_id, sha256, in_use)
            (decoder,) = study.rows("decoder", sha256=sha256)
            password = bool(study.people())
        rows = [asdict(check) for check in checks]
        signing = {
            "signer": self.who,
            "effector": self._effector_words(person),
            "participant": person["pseudonym"],
        }
        signing |= {"password": password, "replaces": short(in_use["sha256"]) if in_use else ""}
        followed = self.system
        signing["system"] = Message("approval.system", system=followed.system.title, task=followed.task.title)
        proof: dict[str, Any] = {"others": others, "false_limit": approving.MOST_FALSE_PER_MIN}
        origin = decoder["metrics"].get("recentred_from", "")
        if origin:
            proof["fitted_on"] = Message("approval.recentred", hash=short(origin))
        return {"checks": rows, "signing": signing, "proof": proof}

    def may_recentre(self, decoder: Mapping[str, Any]) -> bool:
        """Whether the decoder in use can be re-centred on the runs of a fit: it has a centre that can be moved."""
        last = self._approved_decoder()
        if last is None or decoder["metrics"].get("recentred_from"):
            return False
        rule = (last["metrics"].get("adapts") or {}).get("rule")
        return rule == "recentre" or (rule is None and decoder_facts.has_centre(last))

    def decide(self, sha256: str, *, decision: str, reason: str, password: str) -> dict[str, str]:
        """Approve or reject a decoder in the name of who is signed in; asks for the password again.

        Parameters
        ----------
        sha256 : of the decoder.
        decision : ``"approve"`` or ``"reject"``.
        reason : kept with the signature.
        password : of who is signed in; ``""`` for a script.

        Raises
        ------
        Refused
            Nobody is signed in, the password is not accepted, or the record refuses the decision.
        """
        person_id = self.participant_id()
        with self.record() as study:
            person = study.get("participant", person_id)
            signer = self.signer(study, person)
            confirmation = signer.confirm(password)
            use = {"effector": self._effector, "participant_id": person_id, "system": self.system.key}
            enter = {"approve": approving.approve, "reject": approving.reject}.get(decision)
            if enter is None:
                raise BadValue(Message("visit.decision", value=repr(decision)))
            enter(study, sha256, **use, by=confirmation, reason=reason)
        return self.newest_decision(sha256)

    def note(self, run_id: str, text: str, tags: tuple[str, ...]) -> str:
        """Keep a note to a run; notes are added to, never edited. The sentence for the page.

        Parameters
        ----------
        run_id : of the run.
        text : of the note.
        tags : short words such as ``"spasm"``.
        """
        with self.record() as study:
            study.append(Note(run_id, text, self.who, tags=tags))
        return Message("visit.note_kept", who=self.who)

    def participant_id(self) -> str:
        """Participant in session, else the one that the page is about, ``""`` for nobody."""
        running = self.session()
        if running is not None:
            return running["person"]
        return self._at_hand.person

    def consent_refusal(self) -> str | None:
        """Why no session on hardware starts for the participant at hand, None when consent is recorded."""
        person = self.participant_id()
        if not person:
            return None
        with self.record() as study:
            return systems.consent_refusal(study.get("participant", person))

    def participant_of(self, visit_id: str) -> str:
        """Id of the participant of a visit. Raises UnknownName."""
        with self.record() as study:
            return str(self._person(study, visit_id)["id"])

    @property
    def first_forms(self) -> tuple[str, ...]:
        """Measures that are offered first."""
        return self.system.system.forms or ("arat",)

    def visits(self) -> list[tuple[str, str]]:
        """Every visit of the record with the words for it, newest first."""
        with self.record() as study:
            people = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
            rows = study.rows("visit")
        return [(row["id"], f"{people[row['participant_id']]} · {row['name']}") for row in reversed(rows)]

    def choose(self, visit_id: str) -> None:
        """Choose a visit; a confirmation of another one is taken back."""
        if self._confirmed.get("visit") != visit_id:
            self.forget()
        with self.record() as study:
            person = self._person(study, visit_id)
            planned = [one.name for one in _installed(systems_at(study, visit_id))]
        if not person["simulated"]:
            # A choice among simulators is none for a person: without a plan the study's system holds.
            planned = planned or [self._usual.system.name]
        elif visit_id == self._at_hand.visit:
            planned = []  # who is simulated plays at a visit what was chosen for it
        now = self.system.system.name
        # What was bound to the streams of a session that is over serves no other.
        over = self.system is not self._usual and not self.system.source.simulated
        other = bool(planned) and (now not in planned or self.hardware.system.name != now)
        if (over or other) and self.session() is None:
            self._follow(now if now in planned else next(iter(planned), self._usual.system.name))
        self._at_hand.take(person, visit_id)

    def chosen(self) -> str:
        """Id of the visit that is chosen, ``""`` for none."""
        return self._at_hand.visit

    def open_person(self, participant_id: str) -> None:
        """A participant's page is opened: a visit of somebody else is no longer chosen, nor confirmed.

        Parameters
        ----------
        participant_id : whose.
        """
        with self.record() as study:
            self._at_hand.take(study.get("participant", participant_id))
        if self._confirmed.get("visit") != self._at_hand.visit:
            self.forget()

    def at_hand(self) -> dict[str, str]:
        """Whom the page is about, as :meth:`visit` has it; without a visit ``id`` and ``name`` are empty."""
        visit = self.visit()
        if visit or not self._at_hand.person:
            return visit
        with self.record() as study:
            about = {"study": study.code, "participant": self._at_hand.pseudonym}
        return {"id": "", "name": "", "confirmed": "", **about}

    def visit(self) -> dict[str, str]:
        """The visit in session, else the chosen one: ``id, study, participant, name, confirmed``, or empty."""
        running = self.session()
        chosen = running["visit"] if running else self._at_hand.visit
        if not chosen:
            return {}
        with self.record() as study:
            visit = study.get("visit", chosen)
            person = study.get("participant", visit["participant_id"])
            code = study.code
        identity = running["identity"] if running else ""
        # The identity of a session reads `how, when, who`.
        clock = identity.split(", ")[1] if identity.count(", ") >= 2 else self._confirmed.get("clock", "")
        return {
            "id": chosen,
            "study": code,
            "participant": person["pseudonym"],
            "name": visit["name"],
            "confirmed": clock,
        }

    # -------------------------------------------------------------------------------- inside
    def _system(self) -> BoundSystem:
        """What the session under way runs: with hardware the streams of its plan, whatever was set up since."""
        running = self.session()
        if running is None:
            return self.system
        with self.record() as study:
            plan = study.get("session", running["session"])["plan"]
        return systems.bound_in(plan) if plan.get("setup") else self.system

    def _effector_words(self, person: Mapping[str, Any]) -> str:
        name = self._effector_title
        return name if self._real_effector(person) else Message("approval.simulated", effector=name)

    def _real_effector(self, person: Mapping[str, Any]) -> bool:
        return not person["simulated"] and self.hardware.draft.effector == "real"

    @property
    def _effector(self) -> str:
        return self.system.effector or "screen"

    @property
    def _effector_title(self) -> str:
        """What people call it."""
        if self.system.effector is None:
            return Message("effector.screen")
        return control.load(self.system.effector).title or self.system.effector

    @staticmethod
    def _person(study: Study, visit_id: str) -> dict[str, Any]:
        return study.get("participant", study.get("visit", visit_id)["participant_id"])

    def _approved_decoder(self) -> dict[str, Any] | None:
        """The decoder that an online run of the participant at hand would use."""
        person = self.participant_id()
        if not person:
            return None
        with self.record() as study:
            return self._decoder_in_use(study, person)

    def _online_decoder(self, running: Mapping[str, str] | None) -> dict[str, Any] | None:
        if running is None:
            return None
        with self.record() as study:
            return self._decoder_in_use(study, running["person"])

    def _decoder_in_use(self, study: Study, participant_id: str) -> dict[str, Any] | None:
        """What an online run of the page's system and task would use; nothing that was made for another one."""
        return study.approved_decoder(
            effector=self._effector, participant_id=participant_id, system=self.system.key, place=self._place
        )

    def _blocked(
        self, study: Study, person: Mapping[str, Any], running: Mapping[str, str] | None
    ) -> dict[str, Any] | None:
        """Why no session can start now, as the page says it and, under ``text``, a refusal; None when one can."""
        if running is not None:
            who = running["participant"]
            text = Message("visit.session_under_way", participant=who)
            return {"key": "worklist.blocked.session", "args": {"participant": who}, "text": text}
        if person["hold"]:
            text = Message("visit.on_hold", why=person["hold"])
            return {"key": "worklist.blocked.hold", "args": {"why": person["hold"]}, "text": text}
        if self._signer is None and study.people():
            return {"key": "worklist.blocked.sign_in", "args": {}, "text": Message("visit.sign_in_for_session")}
        # Without accounts a script signs, which is allowed for simulated participants only.
        if self._signer is None and not person["simulated"]:
            return {"key": "worklist.blocked.nobody", "args": {}, "text": Message("visit.nobody_can_sign_in")}
        if refusal := systems.consent_refusal(person):
            about = {"participant": person["pseudonym"]}
            return {"key": "worklist.blocked.consent", "args": about, "text": refusal}
        planned = systems_at(study, self._at_hand.visit) if self._at_hand.visit else ()
        if planned and not _installed(planned):
            return {"text": Message("visit.system_not_installed", names=list(planned))}
        if not person["simulated"] and (why := self.hardware.refusal()):
            return {"text": why}
        return None


def _installed(names: Iterable[str]) -> list[System]:
    known = systems.available()
    return [systems.load(name) for name in names if name in known]
