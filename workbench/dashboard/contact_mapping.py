"""The page that maps the contacts of a lead: the wizard of :mod:`workbench.runs.mapping`, a visit, and the record.

The stimulator and the person are simulated, in simulated time that goes so many times faster than the clock.
Progress lies in a file beside the engine's until the map is in the record, so that a reload or a dead kernel loses
nothing that was accepted, and forgets no charge that was given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from workbench import messages, reading, world
from workbench.dashboard.visits import VisitService
from workbench.errors import Refused, WorkbenchError
from workbench.messages import Message
from workbench.runs.mapping import (
    EMG_FS,
    MUSCLES,
    PLANNED_MIN,
    SITE,
    ContactCurves,
    ContactMapping,
    MapPlan,
    read,
)
from workbench.stimulation import SignedLimits, Wearer
from workbench.study import contact_maps, stimulation_limits
from workbench.study.changes.mapping import RecordContactMap

LOOK_S = 0.1
"""Time between two looks of the thread while no ramp is under way, s."""
HERE_S = 2.0
"""A page that was silent for so long is not there, s."""
TRACE_S = 0.045
"""Of the averaged EMG, s from the first pulse on."""
EVERY = 2
"""One in so many samples of a trace is drawn."""
LARGEST = 5_000_000


class MappingService:
    """What the page of a map may ask.

    Parameters
    ----------
    folder : of the study.
    operator : who sits at this computer, where nobody signs in.
    visit_id : at which is mapped; ``""`` for the newest visit of a simulated participant.
    speed : how many times faster than the clock simulated time goes.
    follow : on a thread of its own; a test advances by itself.

    Raises
    ------
    Refused
        Where no simulated participant has a visit.
    """

    def __init__(
        self,
        folder: Path,
        *,
        operator: str,
        visit_id: str = "",
        speed: float = 1.0,
        follow: bool = True,
    ) -> None:
        self._visits = VisitService(folder, operator=operator)
        self.speed = min(max(float(speed), 1.0), 200.0)
        self._changed: Callable[[], None] = lambda: None
        self._place = self._found(visit_id)
        self._file = Path(folder) / "engine" / f"mapping-{self._place['visit_id']}.json"
        self.wizard: ContactMapping | None = None
        self._token = world.chance.token_hex(8)
        self._seen_at = world.clock.monotonic()
        self._problem: Message | str = ""
        self._recorded: dict[str, Any] = {}
        self._ended = world.clock.event()
        kept = self._read_kept()
        if kept is not None:
            with suppress(WorkbenchError):
                self._make(MapPlan(**kept["plan"]), kept)
        if follow:
            world.start_thread("workbench-mapping", self._follow)

    # ------------------------------------------------------------------------------ requests
    def plan(
        self, electrode: str, muscles: list[str], top_ma: float, width_us: float, systolic: float | None = None
    ) -> None:
        """Begin a map; the supervisor refuses a ramp beyond the limits with rule, value and limit.

        Parameters
        ----------
        electrode : model, with limits in force. muscles : that are recorded. top_ma : last current, mA.
        width_us : µs. systolic : resting blood pressure where it is needed, mmHg.
        """
        if self.wizard is not None and not self._recorded:
            raise Refused(Message("mapping.under_way"))
        plan = MapPlan(str(electrode), muscles=tuple(muscles), top_ma=top_ma, width_us=width_us)
        kept = self._read_kept()
        # A map that was left is given up with this one; what it gave was given all the same.
        fresh = (
            None if kept is None else ContactMapping.begun(plan, charge_uc=kept["charge_uc"], body=kept["body"])
        )
        wizard = self._make(plan, fresh)
        if systolic is not None:
            wizard.bench.take_pressure(float(systolic), resting=True, by=self._visits.who)
        self._recorded = {}
        self._changed()

    def act(self, name: str, **arguments: Any) -> None:
        """One act of the wizard. Whoever presses something is there.

        Parameters
        ----------
        name : of :data:`ACTS`. arguments : of it.
        """
        self.here()
        if name not in ACTS:
            raise Refused(Message("page.request_unknown", request=repr(name)[:40], allowed=sorted(ACTS)))
        wizard = self._wizard()
        named = {"by": self._visits.who} if name in ("start", "go_on", "discomfort") else {}
        if self._recorded and name != "stop":
            raise Refused(Message("mapping.recorded_already"))
        self._problem = ""
        getattr(wizard, name)(**arguments, **named)
        self._changed()

    def leave(self) -> None:
        """Off, and back to the plan; what was accepted is kept, and :meth:`resume` goes on with it."""
        wizard = self._wizard()
        if wizard.phase == "ramping":
            wizard.stop("left")
        self.wizard = None
        self._changed()

    def resume(self) -> None:
        """Go on with the map that was left."""
        kept = self._read_kept()
        if self.wizard is not None or kept is None:
            raise Refused(Message("mapping.nothing_kept"))
        self._make(MapPlan(**kept["plan"]), kept)
        self._changed()

    def pressure(self, systolic: float, *, resting: bool) -> None:
        """A systolic blood pressure, mmHg; a rise stops by itself.

        Parameters
        ----------
        systolic : mmHg. resting : the baseline, without current.
        """
        self._wizard().bench.take_pressure(float(systolic), resting=bool(resting), by=self._visits.who)
        self._changed()

    def record(self, reason: str = "") -> str:
        """Enter the finished map into the record; returns the id of its row.

        Parameters
        ----------
        reason : in words, ``""`` for none.
        """
        wizard = self._wizard()
        result = wizard.result()
        source = {
            "simulated": True, "stimulator": "simulated_epidural", "participant": "simulated_spinal_participant",
            **wizard.about,
        }  # fmt: skip
        change = RecordContactMap(
            self._place["visit_id"], wizard.limits.limits.sha256, json.loads(json.dumps(result)), source
        )
        with self._visits.record() as study:
            person = study.get("participant", self._place["participant_id"])
            row = study.apply(change, self._visits.signer(study, person), str(reason)[:500])
            kept = study.get("contact_map", row)
        self._recorded = {"id": row, "by": kept["by"], "utc": kept["utc"]}
        world.disk.unlink(self._file, missing_ok=True)
        self._changed()
        return row

    def sign_in(self, login: str, password: str) -> None:
        """Sign a person in; the password is checked and forgotten."""
        self._visits.sign_in(login=login, password=password)
        self._changed()

    def here(self) -> None:
        """A page answers."""
        self._seen_at = world.clock.monotonic()

    def end(self) -> None:
        """The thread ends; nothing flows."""
        self._ended.set()

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call this whenever there is something else to show."""
        self._changed = changed

    # ------------------------------------------------------------------------------ views
    def state(self) -> dict[str, Any]:
        """What the page shows, without the curves (see ``widgets.ContactMap``)."""
        wizard = self.wizard
        page = {
            "place": {key: self._place[key] for key in ("study", "participant", "visit")},
            "speed": self.speed, "who": self._visits.who, "signed_in": self._visits.signed_in,
            "signs": self._visits.takes_sign_in(), "planned_min": PLANNED_MIN, "problem": self._problem,
            "recorded": self._recorded, "muscles": list(MUSCLES),
        }  # fmt: skip
        if wizard is None:
            kept = self._read_kept()
            left = None if kept is None else len(kept["accepted"]) + len(kept["skipped"])
            return {**page, "phase": "plan", "offers": self._offers(), "left": left}
        status, trial = wizard.bench.status, wizard.trial
        return {
            **page,
            "phase": wizard.phase,
            "why": wizard.why,
            "plan": {**wizard.result_plan(), "currents_ma": list(wizard.plan.currents_ma)},
            "contact": wizard.contact,
            "contacts": self._contacts(wizard),
            "next_ma": wizard.next_ma,
            "reasons": wizard.reasons() if wizard.phase in ("decide", "ready") else [],
            "hot_spots": wizard.hot_spots(),
            "left_min": round(wizard.left_s / 60.0, 1),
            "elapsed_min": round(wizard.elapsed_s / 60.0, 1),
            "reached": len(trial.currents_ma) if trial else 0,
            "limits": status["limits"][0],
            "margins": status["margins"][:3],
            "charge": status["charge"][wizard.contact],
            "person": status["person"],
            "forbids": status["forbids"],
            "state": wizard.bench.state,
        }

    def curves(self) -> dict[str, Any]:
        """Curves by contact: shares, threshold, saturation, selectivity and origin of each muscle; and the EMG."""
        wizard = self.wizard
        if wizard is None:
            return {}
        greatest = wizard.greatest_uv()
        drawn = {**wizard.accepted, **({wizard.contact: wizard.trial} if wizard.trial else {})}
        return {
            "contacts": {str(n): _drawn(one, greatest) for n, one in drawn.items() if one is not None},
            "sweep": self._sweep(wizard),
        }

    def _contacts(self, wizard: ContactMapping) -> list[str]:
        found = []
        for n in range(wizard.n_contacts):
            one = wizard.accepted.get(n)
            state = "skipped" if n in wizard.skipped else "todo"
            found.append(state if one is None else "accepted" if one.ended == "top" else "early")
        return found

    def _sweep(self, wizard: ContactMapping) -> dict[str, Any]:
        """The newest pair: EMG after the first pulse of each muscle, and both responses of the largest, µV."""
        emg, trial = wizard.sweep, wizard.trial
        if not len(emg) or trial is None or not trial.currents_ma:
            return {}
        own = [MUSCLES.index(one) for one in wizard.plan.muscles]
        most = int(np.argmax(trial.first[-1]))
        n = round(TRACE_S * EMG_FS)
        return {
            "ma": trial.currents_ma[-1],
            "dt_ms": 1000.0 * EVERY / EMG_FS,
            "traces": np.round(emg[:n:EVERY, own].T).astype(int).tolist(),
            "first_uv": list(trial.response_uv[-1]),
            "pair": {
                "muscle": wizard.plan.muscles[most],
                "trace": np.round(emg[::EVERY, own[most]]).astype(int).tolist(),
                "first_uv": trial.response_uv[-1][most],
                "second_uv": trial.second_uv[-1][most],
            },
        }

    def _offers(self) -> list[dict[str, Any]]:
        """Electrode models that can be mapped, with the greatest current of their limits at the usual width."""
        with self._visits.record() as study:
            force = stimulation_limits.in_force(study)
        offers = []
        for electrode, signed in sorted(force.items()):
            limits = signed.limits
            if limits.site != SITE:
                continue
            most = min(limits.limits["current_ma"], 1000.0 * limits.limits["charge_uc"] / 300.0)
            offers.append(
                {
                    "electrode": electrode, "title": limits.title, "contacts": limits.contacts,
                    "version": limits.version, "sha256": limits.sha256,
                    "signed_by": [one.person for one in signed.signatures], "top_ma": min(6.0, most),
                    "at_risk": Wearer(self._place["lesion"]).at_risk,
                }
            )  # fmt: skip
        return offers

    # ------------------------------------------------------------------------------ the thread
    def _follow(self, beat: Callable[[], None]) -> None:
        while not self._ended.wait(LOOK_S):
            beat()
            self.advance()

    def advance(self, *, paced: bool = True) -> bool:
        """Give the next current, or let simulated time pass; whether a current was given.

        Parameters
        ----------
        paced : wait as long as the clock needs at this speed.
        """
        wizard = self.wizard
        if wizard is None:
            return False
        began, was = world.clock.monotonic(), wizard.bench.elapsed_s
        try:
            if self._absent_s() > HERE_S or not wizard.advance():
                wizard.bench.rest(LOOK_S)
                return False
        except WorkbenchError as error:
            self._problem = messages.of(error)
            with suppress(WorkbenchError):
                wizard.stop("fault")
        self._changed()
        due = (wizard.bench.elapsed_s - was) / self.speed - (world.clock.monotonic() - began)
        if paced and due > 0:
            self._ended.wait(due)
        return True

    def _absent_s(self) -> float:
        return world.clock.monotonic() - self._seen_at

    # ------------------------------------------------------------------------------ what is kept
    def _wizard(self) -> ContactMapping:
        if self.wizard is None:
            raise Refused(Message("mapping.no_plan"))
        return self.wizard

    def _make(self, plan: MapPlan, progress: Mapping[str, Any] | None) -> ContactMapping:
        with self._visits.record() as study:
            force = stimulation_limits.in_force(study)
        if plan.electrode not in force:
            raise Refused(Message("stimulation.none_in_force", electrode=plan.electrode))
        signed: SignedLimits = force[plan.electrode]
        made = ContactMapping(
            plan,
            signed,
            wearer=Wearer(self._place["lesion"]),
            code=self._place["participant"],
            keep=self._keep,
            progress=progress,
            earlier_uc=self._earlier_uc(plan),
            absent_s=self._absent_s,
        )
        self.wizard = made
        if progress is not None:
            made.resumed()
        return made

    def _earlier_uc(self, plan: MapPlan) -> dict[int, float]:
        """Charge of maps of this lead that the record has of today, µC by contact."""
        with self._visits.record() as study:
            charge = contact_maps.charge_of_today(study, self._place["participant_id"])
        return {contact: amount for (lead, contact), amount in charge.items() if lead == plan.lead}

    def _keep(self, progress: dict[str, Any]) -> None:
        # What is in the record needs no other keeping: a reload would go on with it.
        if self._recorded:
            return
        known = self._read_kept()
        if known is not None and self.wizard is not None and known.get("page") != self._token and self._taken:
            raise Refused(Message("mapping.taken_over"))
        self._taken = True
        world.disk.mkdir(self._file.parent, parents=True, exist_ok=True)
        text = json.dumps({**progress, "page": self._token}, separators=(",", ":"))
        world.disk.save(self._file, text.encode())

    _taken = False

    def _read_kept(self) -> dict[str, Any] | None:
        if not self._file.exists():
            return None
        with suppress(WorkbenchError):
            text = reading.read_bytes(self._file, "progress of a map", largest=LARGEST).decode()
            kept = reading.parse_json(text, Message("file.noun_draft"))
            return kept if isinstance(kept, dict) and "plan" in kept else None
        return None

    def _found(self, visit_id: str) -> dict[str, str]:
        """Where is mapped: study, participant, visit, level of injury."""
        with self._visits.record() as study:
            people = {row["id"]: row for row in study.rows("participant") if row["simulated"]}
            rows = [row for row in study.rows("visit") if row["participant_id"] in people]
            chosen = [row for row in rows if row["id"] == visit_id] if visit_id else rows[-1:]
            if not chosen:
                raise Refused(Message("mapping.no_visit"))
            person = people[chosen[0]["participant_id"]]
            return {
                "study": study.code, "participant": person["pseudonym"], "participant_id": person["id"],
                "visit": chosen[0]["name"], "visit_id": chosen[0]["id"], "lesion": str(person["injury_level"]),
            }  # fmt: skip


ACTS = frozenset(
    ("start", "pause", "accept", "redo", "skip", "undo", "repeat", "choose", "discomfort", "stop", "go_on")
)
"""Acts of the wizard that a page may ask for."""


def _drawn(one: ContactCurves, greatest: Any) -> dict[str, Any]:
    if not one.currents_ma:
        return {"currents_ma": [], "shares": [], "found": [], "ended": one.ended}
    shares = np.minimum(one.first / greatest, 1.0)
    return {
        "currents_ma": list(one.currents_ma),
        "shares": np.round(shares.T, 3).tolist(),
        "ended": one.ended,
        "found": [
            {
                "threshold_ma": f.threshold_ma, "saturation_ma": f.saturation_ma,
                "selectivity": None if f.selectivity is None else round(f.selectivity, 2),
                "second": None if f.second_share is None else round(f.second_share, 2), "origin": f.origin,
                "fall": round(f.fall, 2),
            }
            for f in read(one, greatest)
        ],
    }  # fmt: skip
