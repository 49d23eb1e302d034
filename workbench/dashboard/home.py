"""Use at home: what the page of caregiver and participant shows and asks, by touch or by one switch.

One thing at a time: connect, look at the skin, start, use, finish, take the glove off; and practice for a new
decoder, where the protocol has a rule for it. The scanner of
:mod:`workbench.control` decides what a press of the switch means; this module tells it what is on the screen and
whether the glove moves, and carries out what it says. Engine and record check everything again. Who is there, the
reset of a STOP, and to go back to the decoder of the site are said by touch alone: no scan offers them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from workbench import messages, world
from workbench.control import Said, ScannedAct, Scanner, ScanSettings
from workbench.dashboard.practising import KIND, Practice, shown
from workbench.dashboard.visits import VisitService
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.live.client import ENDED
from workbench.messages import Message
from workbench.study import Study, home_use
from workbench.systems import BoundSystem
from workbench.vocabulary import HomeRule

SCREENS: Mapping[str, tuple[ScannedAct, ...]] = {
    "connect": ("connect", "help", "language"),
    "busy": ("help", "repeat"),
    "check": ("skin_checked", "help", "repeat"),
    "ready": ("start", "help", "repeat", "glove_off", "practise"),
    "use": ("finish", "help", "repeat"),
    "practise": ("finish", "help", "repeat"),
    "off": ("glove_off", "help", "repeat"),
    "over": ("glove_off", "help", "repeat"),
    "stopped": ("help",),
    "done": ("help", "language"),
}
"""Screens, and what each offers to the switch, best first; the same to a hand. Practice where it is due alone."""
MOVES = ("ACTIVE", "HOLD", "RELEASE")
"""States of the effector in which it moves or holds the hand."""
STALE_S = 0.5
"""A device's report that is older says nothing about now, s."""
JUST_PRESSED_S = 0.3
"""The engine tells ten times a second whether the glove moves: a press so short before it is told was one while it
moved, s."""
MOST_TRIALS = 1000
"""Of one run."""
READY_S = 60.0
"""Longest wait for a glove that tests itself, s."""


class HomeService:
    """One participant at home.

    Parameters
    ----------
    folder : of the study on the computer at home.
    system : what a session runs; None for the system of the study, simulated.
    speed : stream seconds a second of what is simulated.
    settings : how the frame of the switch moves; None for the usual way.
    spawn : starts the threads in which acts are carried out, as a start takes seconds and STOP waits for nothing.

    Raises
    ------
    Refused
        Where no participant of the study has a protocol with a rule for use at home, or several have.
    """

    def __init__(
        self,
        folder: Path,
        system: BoundSystem | None = None,
        *,
        speed: float = 1.0,
        settings: ScanSettings | None = None,
        spawn: world.Spawn = world.start_thread,
    ) -> None:
        self.visits = VisitService(folder, system, operator="home", speed=speed, place=home_use.PLACE)
        self._spawn, self._turn = spawn, world.clock.rlock()
        places = world.chance.generator()
        self._scan = Scanner(
            settings or ScanSettings(), lambda n: int(places.integers(n)), at_s=world.clock.monotonic()
        )
        with self.visits.record() as study:
            self._person, self._visit, self.rule = _participant(study)
            self._use = home_use.of_participant(study, self._person["id"], world.clock.local().date())
            self._people = bool(study.people())
            self.practice = Practice(self.visits, self._person["id"])
            self.practice.look(study)
        self._client: Any = None
        self._status: Mapping[str, Any] = {}
        self._lost = False
        self._phase = "connect"
        self._shown: tuple[str, tuple[ScannedAct, ...]] = ("", ())
        self._busy = ""
        self._refusal = self._outcome = ""
        self._better = False
        self._run_id = ""
        self._there: tuple[str, ...] = ()
        self._reset_due = False
        self._skin_at = self._help_at = self._pressed_at = -np.inf
        self._skin_clock = self._help_clock = ""
        self.said_again = self.turned = 0
        self._attach()

    def _attach(self) -> None:
        """Go on with a session that runs, as after a reload; the skin is looked at again."""
        running = self.visits.session()
        if running is None or running["person"] != self._person["id"]:
            return
        self._client = self.visits.connect()
        status = self._ask_status()
        if not _runs(status):
            self._phase = "check"
        elif status["run"]["kind"] == KIND:
            self._phase, self._run_id = "practise", str(status["run"]["id"])
        else:
            self._phase = "use"

    # ------------------------------------------------------------------------------ what is shown
    def look(self) -> dict[str, Any]:
        """Let time pass, and say what the page shows; to be called some ten times a second."""
        status = self._ask_status()
        with self._turn:
            now = world.clock.monotonic()
            self._follow(status, now)
            said = self._told(now)
        self._carry_out(said)
        return self._view()

    def _ask_status(self) -> Mapping[str, Any]:
        client = self._client
        if client is None:
            self._status, self._lost = {}, False
            return {}
        try:
            self._status, self._lost = client.status(), False
        except WorkbenchError:
            self._lost = True
        return self._status

    def _follow(self, status: Mapping[str, Any], now: float) -> None:
        """Another screen, where time or the engine has led to one."""
        if self._busy or self._client is None:
            return
        if self._phase == "use" and not _runs(status) and not self._lost:
            self._phase = "check" if self._stopped else "off"
            self._begin("take_in")
        if self._phase == "practise" and not _runs(status) and not self._lost:
            self._begin("learn")
        if self._stopped:
            # What was felt then is looked at before anything else.
            self._skin_at = -np.inf
        if self._phase in ("ready", "check"):
            due = now - self._skin_at > 60.0 * self.rule.skin_min
            self._phase = "check" if due else "ready"

    @property
    def screen(self) -> str:
        """The one of :data:`SCREENS` that is shown."""
        if self._stopped or self._scan.state == "stopped":
            return "stopped"
        if self._busy:
            return "busy"
        return "over" if self._phase == "ready" and self._left_min() < 1.0 else self._phase

    @property
    def acts(self) -> tuple[ScannedAct, ...]:
        """What the screen offers now."""
        # A practice that the day has no time for would be cut off.
        due = 0.0 < self.practice.minutes <= self._left_min()
        return tuple(act for act in SCREENS[self.screen] if act != "practise" or due)

    def _told(self, now: float) -> list[Said]:
        """Tell the scanner the screen and the glove, and what time it is."""
        began = self.moves and self._scan.state not in ("moving", "stopped")
        said = self._scan.glove(moves=self.moves, at_s=now)
        if began and now - self._pressed_at <= JUST_PRESSED_S and not any(one.kind == "stop" for one in said):
            said += self._scan.press(now) + self._scan.release(now)
        if any(one.kind == "stop" for one in said):
            self._reset_due = False
        elif self._reset_due and not self._stopped and not self.moves:
            self._reset_due = False
            said += self._scan.reset(at_s=now)
        if (self.screen, self.acts) != self._shown:
            self._shown = (self.screen, self.acts)
            said += self._scan.show(self.acts, at_s=now)
        return said + self._scan.advance(now)

    @property
    def _stopped(self) -> bool:
        """Whether a STOP or a fault is latched."""
        effector = self._status.get("effector") or {}
        stopped = (self._status.get("session") or {}).get("stopped")
        return bool(stopped) or effector.get("state") in ("ESTOP", "FAULT_SAFE")

    @property
    def moves(self) -> bool:
        """Whether the glove moves, holds the hand, or may: then any press is STOP."""
        effector = self._status.get("effector") or {}
        if self._client is None or not effector:
            return False
        if self._lost:
            return self._phase == "use"
        report = effector["confirmed"]
        told = report["age_s"] is not None and report["age_s"] <= STALE_S
        # In a self-test too, and while it vents after a STOP.
        return effector["state"] in MOVES or (told and not report["at_rest"])

    def _left_min(self) -> float:
        """Minutes of use that the day has left."""
        run = self._status.get("run") or {}
        now = float(run.get("elapsed_s") or 0.0) / 60.0 if _runs(self._status) else 0.0
        return self.rule.day_min - self._use.minutes_of(world.clock.local().date()) - now

    def _view(self) -> dict[str, Any]:
        with self._turn:
            scan, effector = self._scan, self._status.get("effector") or {}
            presence = self._status.get("presence") or {}
            return {
                "screen": self.screen, "acts": list(self.acts), "busy": self._busy, "moves": self.moves,
                "scan": {
                    "state": scan.state, "places": list(scan.places), "lit": list(scan.lit()),
                    "at": scan.place, "taking": scan.taking, "dwell_s": scan.settings.dwell_s,
                },
                "hand": self._hand(effector), "problem": self._problem(effector), "refusal": self._refusal,
                "missing": list(presence.get("missing") or ()) if self._client else [],
                "challenge": str(presence.get("challenge") or ""), "signal": self._signal(),
                "answers_s": (effector.get("confirmed") or {}).get("age_s"),
                "stop": dict(effector.get("stop") or {}), "skin": self._skin(), "help": self._help_clock,
                "use": self._used(), "rule": words_of(self.rule), "clock": f"{world.clock.local():%H:%M}",
                "weekday": world.clock.local().weekday(), "hour": world.clock.local().hour,
                "simulated": bool((self._status.get("session") or {}).get("effector_simulated", True)),
                "practice": shown(self._status["run"]) if self.screen == "practise" else {},
                "learned": {"text": self._outcome, "better": self._better, "wait": bool(self.practice.why)},
                "made_at_home": self.practice.made_at_home and self.screen == "ready",
                "again": self.said_again, "signed_in": bool(self.visits.signed_in),
                # Only before a session: while there is one, every key is the switch, and a press held is STOP.
                "signs": self._people and not self.visits.signed_in and self._client is None and not self._busy,
            }  # fmt: skip

    def _hand(self, effector: Mapping[str, Any]) -> str:
        """What the device itself confirms of the hand; the commanded state is never put in its place."""
        report = effector.get("confirmed") or {}
        age = report.get("age_s")
        if self._lost or age is None or age > STALE_S:
            return "unknown"
        if report["at_rest"]:
            return "open"
        return {"HOLD": "holding", "ACTIVE": "closing"}.get(str(effector["state"]), "opening")

    def _problem(self, effector: Mapping[str, Any]) -> str:
        """What is wrong, as a key of the page's catalogue; ``""`` for nothing."""
        if self._lost:
            return "lost"
        if not self._stopped:
            return "stop" if self._scan.state == "stopped" else ""
        if effector.get("state") == "FAULT_SAFE":
            streams = self._status.get("streams") or []
            if any(one["critical"] and one["state"] == "lost" for one in streams):
                return "signal"
            return "silent" if self._hand(effector) == "unknown" else "fault"
        return "stop"

    def _signal(self) -> str:
        """The signal in a word: ``none``, ``lost``, ``check`` or ``good``."""
        streams = [one for one in self._status.get("streams") or () if one["critical"]]
        if not streams:
            return "none"
        if any(one["state"] in ("lost", "missing") for one in streams):
            return "lost"
        return "good" if self._status["quality"]["state"] == "good" else "check"

    def _skin(self) -> dict[str, Any]:
        due_s = 60.0 * self.rule.skin_min - (world.clock.monotonic() - self._skin_at)
        return {"at": self._skin_clock, "in_min": max(0, round(due_s / 60.0)) if np.isfinite(due_s) else None}

    def _used(self) -> dict[str, Any]:
        """Today, and what the record holds of all days."""
        days = self._use.days
        return {
            "today_min": round(self.rule.day_min - self._left_min()), "day_min": round(self.rule.day_min),
            "days": len(days), "hours": round(sum(one.minutes for one in days) / 60.0, 1),
            "faults": sum(one.faults for one in days), "stops": sum(one.stops for one in days),
            "implant_days": self._use.implant_days,
        }  # fmt: skip

    # ------------------------------------------------------------------------------ switch and touch
    def press(self) -> None:
        """The switch closes."""
        with self._turn:
            now = self._pressed_at = world.clock.monotonic()
            said = self._scan.press(now)
        self._carry_out(said)

    def release(self) -> None:
        """The switch opens."""
        with self._turn:
            said = self._scan.release(world.clock.monotonic())
        self._carry_out(said)

    def touch(self, act: str) -> None:
        """An act of the screen, by hand.

        Parameters
        ----------
        act : one that the screen offers.

        Raises
        ------
        Refused
            For any other: the screen has changed meanwhile.
        """
        if act not in self.acts:
            raise Refused(Message("home.not_offered", act=repr(act), allowed=list(self.acts)))
        self._begin(act)

    def stop(self) -> None:
        """STOP, by hand."""
        if self._client is not None:
            self._client.stop(Message("home.stop", how=Message("home.by_hand")))

    def attend(self, role: str = "caregiver") -> None:
        """Somebody says that they are there; no switch does.

        Parameters
        ----------
        role : as the rule for use at home names it.
        """
        self._required().attend(role, by="home")

    def sign_in(self, login: str, password: str) -> None:
        """Sign a person of the study in, in whose name sessions begin and the glove is armed, until it is off.

        Parameters
        ----------
        login, password : as on every page.

        Raises
        ------
        Refused
            For a wrong name or password, and once a session runs, whose keys are the switch.
        """
        if self._client is not None:
            raise Refused(Message("home.signs_before"))
        self.visits.sign_in(login=login, password=password)

    def reset(self, role: str = "caregiver") -> None:
        """A STOP is reset, and the glove tests itself; no switch does.

        Parameters
        ----------
        role : as whom.

        Raises
        ------
        Refused
            For somebody whom the rule for use at home does not name, and while the glove is not at rest.
        """
        if role not in self.rule.reset:
            raise Refused(Message("home.reset", got=repr(role), allowed=list(self.rule.reset)))
        if self._client is not None and self._stopped:
            self._client.reset_stop(role)
        with self._turn:
            self._skin_at, self._refusal = -np.inf, ""
            # Once the self-test is over: no reset of the scan while the glove moves.
            self._reset_due = True

    def back_to_site(self) -> None:
        """Use the decoder of the site again instead of the one that was made at home; no switch does.

        Raises
        ------
        Refused
            While a run goes, and where the decoder of the site is in use already.
        """
        if self.screen != "ready":
            raise Refused(Message("home.not_idle"))
        self.practice.go_back(self._present())
        self._required().note(Message("recalibration.back"))
        with self._turn:
            self._outcome, self._better = Message("recalibration.back"), True

    def presence(self, page: str, challenge: str, *, visible: bool) -> None:
        """Pass a page's answer on unchanged; see :mod:`workbench.engine.presence`.

        Parameters
        ----------
        page, challenge, visible : as the page stated them.
        """
        if self._client is not None:
            with suppress(WorkbenchError):  # an answer that came too late; the next challenge is on its way
                self._client.presence(str(page), str(challenge), visible=visible is True)

    # ------------------------------------------------------------------------------ acts
    def _carry_out(self, said: Sequence[Said]) -> None:
        for one in said:
            if one.kind == "stop" and self._client is not None:
                how = Message("home.held") if one.why == "held" else Message("home.pressed")
                self._client.stop(Message("home.stop", how=how))
            elif one.kind in ("chosen", "armed"):
                self._begin(one.act)

    def _begin(self, act: str) -> None:
        """Carry an act out on a thread of its own; another one waits until the page offers it again."""
        acts: dict[str, Callable[[], None]] = {
            "connect": self._connect, "skin_checked": self._skin_checked, "start": self._start,
            "finish": self._finish, "glove_off": self._glove_off, "help": self._call_for_help,
            "repeat": self._repeat, "language": self._turn_language, "take_in": self._take_in,
            "practise": self._practise, "learn": self._learn,
        }  # fmt: skip
        if act not in acts:
            raise BadValue(Message("home.not_offered", act=repr(act), allowed=sorted(acts)))
        quick = act in ("help", "repeat", "language")
        with self._turn:
            if self._busy and not quick:
                return
            self._refusal = ""
            if not quick:
                # What came of a practice stands until something else is done.
                self._busy, self._outcome = act, ""

        def done(_beat: Callable[[], None]) -> None:
            try:
                acts[act]()
            except WorkbenchError as error:
                self._refusal = messages.of(error)
            finally:
                if not quick:
                    self._busy = ""

        self._spawn(f"workbench-home-{act}", done)

    def _required(self) -> Any:
        if self._client is None:
            raise Refused(Message("page.no_session"))
        return self._client

    def _connect(self) -> None:
        """Start the session; the glove tests itself. Who presses is there."""
        self.visits.choose(self._visit)
        self.visits.confirm(self._visit, str(self._person["wristband"] or self._person["pseudonym"]))
        client = self.visits.new_session()
        client.wait("ready", timeout=READY_S)
        self._client = client
        if "participant" in self.rule.present:
            client.attend("participant", by="home")
        self._phase = "check"

    def _skin_checked(self) -> None:
        self._required().note(Message("home.skin_checked"))
        self._skin_at, self._skin_clock = world.clock.monotonic(), f"{world.clock.local():%H:%M}"
        self._phase = "ready"

    def _start(self) -> None:
        """A run for what the day has left, and the glove armed in it."""
        client, system = self._required(), self.visits.system
        trial_s = system.durations[-1] / system.trials[-1]
        n_trials = min(MOST_TRIALS, max(1, int(60.0 * self._left_min() / trial_s)))
        client.start_run("online", n_trials=n_trials, **self.visits.run_settings("online"))
        self._wait_for_run(client, arms=True)
        self._phase = "use"

    def _wait_for_run(self, client: Any, *, arms: bool) -> None:
        """Wait until a run has begun, and arm in it; one that does not get so far is ended and taken in."""
        try:
            client.wait("running", timeout=READY_S)
            if arms:
                client.arm_when_ready("home", timeout=READY_S)
        except WorkbenchError:
            client.end_run()
            client.wait("idle", timeout=READY_S)
            self._take_in()
            raise

    def _practise(self) -> None:
        """A run in which nothing can be armed, for a new decoder."""
        client = self._required()
        # Somebody who helps has said so: what follows decides what will move the hand.
        if missing := (self._ask_status().get("presence") or {}).get("missing"):
            raise Refused(Message("home.missing", who=list(missing)))
        self._there = self._present()
        client.note(Message("recalibration.begins", n=self.practice.cues, present=list(self._there)))
        run_id = self.practice.begin(client)
        self._wait_for_run(client, arms=False)
        # The status of now, or the next look would take the run before for this one and it for ended.
        self._ask_status()
        self._run_id, self._phase = run_id, "practise"

    def _present(self) -> tuple[str, ...]:
        """Those whom the rule asks for and who said to be there."""
        missing = (self._status.get("presence") or {}).get("missing") or ()
        return tuple(role for role in self.rule.present if role not in missing)

    def _learn(self) -> None:
        """Take an ended practice in and let the rule decide on what it gives; what fails leaves all as it was."""
        stopped, run_id = self._stopped, self._run_id
        # After a reload nobody knows who was there when it began: those who are.
        there = self._there or self._present()
        # Before anything that may fail: whatever comes of it, this practice is over.
        self._phase, self._run_id, self._there = "check" if stopped else "ready", "", ()
        better, outcome = False, Message("recalibration.stopped")
        try:
            self._take_in()
            if not stopped:
                better, outcome = self.practice.learn(run_id, there)
            with self.visits.record() as study:
                self.practice.look(study)
        except WorkbenchError as error:
            outcome = Message("recalibration.kept", why=messages.of(error))
        self._better, self._outcome = better, outcome
        self._required().note(outcome)

    def _finish(self) -> None:
        client, practised = self._required(), self._phase == "practise"
        if not practised:
            with suppress(Refused):  # it is not armed any more
                client.disarm("home")
        client.end_run()
        client.wait("idle", timeout=READY_S)
        if practised:
            self._learn()
            return
        self._take_in()
        self._phase = "off"

    def _glove_off(self) -> None:
        client = self._required()
        client.note(Message("home.glove_off"))
        client.shutdown()
        self._client = None
        # Nobody's name stays behind on a computer that anybody at home may touch, whatever the record answers.
        self.visits.sign_out()
        self._take_in()
        self._phase = "done"

    def _take_in(self) -> None:
        """Take finished runs into the record, and count the use again."""
        self.visits.ingest()
        with self.visits.record() as study:
            self._use = home_use.of_participant(study, self._person["id"], world.clock.local().date())
            self.practice.look(study)

    def _call_for_help(self) -> None:
        self._help_clock = f"{world.clock.local():%H:%M}"
        if self._client is not None:
            self._client.note(Message("home.called"))

    def _repeat(self) -> None:
        self.said_again += 1

    def _turn_language(self) -> None:
        self.turned += 1


def _participant(study: Study) -> tuple[dict[str, Any], str, HomeRule]:
    """Whom the computer is for, the newest visit of theirs, and the rule."""
    found = [(person, home_use.rule_of(study, person["id"])) for person in study.rows("participant")]
    ruled = [(person, rule) for person, rule in found if rule is not None]
    if not ruled:
        raise Refused(Message("home.no_rule"))
    if len(ruled) > 1:
        raise Refused(Message("home.several", names=[person["pseudonym"] for person, _rule in ruled]))
    ((person, rule),) = ruled
    visits = study.rows("visit", participant_id=person["id"])
    if not visits:
        raise Refused(Message("home.no_visit", participant=person["pseudonym"]))
    return person, str(visits[-1]["id"]), rule


def words_of(rule: HomeRule) -> dict[str, Any]:
    """What the page shows of the rule."""
    return {
        "call": _in_each_language(rule.call, rule.call_zh), "emergency": rule.emergency,
        "release": _in_each_language(rule.release, rule.release_zh), "reset": list(rule.reset),
        "present": list(rule.present),
    }  # fmt: skip


def _in_each_language(words: str, chinese: str) -> dict[str, str]:
    """A line that the protocol words itself, by language; what it does not translate stays as it is written."""
    return {"en": words, "zh-CN": chinese or words}


def _runs(status: Mapping[str, Any]) -> bool:
    run = status.get("run") or {}
    return bool(run) and run["state"] not in ENDED
