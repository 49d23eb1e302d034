"""The mapping of a lead, contact by contact: plan, ramps, what is accepted, what is chosen, and what is kept.

Whoever maps decides; the wizard asks one question at a time and gives its reasons. :meth:`ContactMapping.advance`
gives one current and returns: a page calls it on a thread of its own, a test in a row. What would be lost with the
process is handed to ``keep`` before each current, the charge that it may give among it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from workbench import messages, world
from workbench.devices._simulated_lead import MUSCLES, about, responses
from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.runs.mapping.bench import PAUSE_S, Bench, NotGiven, listened_s
from workbench.runs.mapping.curves import MOST_FALL, ContactCurves, Ended, candidates, greatest_uv, read
from workbench.stimulation import Channel, Programme, Setup, SignedLimits, StimulationSupervisor, Wearer

SITE = "epidural"
"""Of the electrodes that can be mapped."""
RATE_HZ = 20.0
"""Of the two pulses of a pair, 50 ms apart, and of the train as which the supervisor counts them."""
LATENCY_S, RELEASE_S = 0.25, 1.0
"""As of the simulated stimulator."""
PLANNED_MIN = 45.0
"""Time that a map of 16 contacts may take, simulated minutes."""
MOST_S = 3.0
"""Longest time for which one current is counted: two pairs, with ramps and what is looked ahead, s."""
FLAT_UV = 1.0
"""An amplifier gives at least so much noise, peak to peak, µV: less is an electrode that is off."""

Phase = Literal["ready", "ramping", "decide", "halted", "done"]
PHASES: Mapping[Phase, Message] = {
    "ready": Message("mapping.phase_ready"),
    "ramping": Message("mapping.phase_ramping"),
    "decide": Message("mapping.phase_decide"),
    "halted": Message("mapping.phase_halted"),
    "done": Message("mapping.phase_done"),
}
"""What each phase waits for, for a refusal."""
NAMES: Mapping[str, Message] = {
    "left quadriceps": Message("mapping.muscle_left_quadriceps"),
    "left hamstrings": Message("mapping.muscle_left_hamstrings"),
    "left tibialis anterior": Message("mapping.muscle_left_tibialis_anterior"),
    "left triceps surae": Message("mapping.muscle_left_triceps_surae"),
    "right quadriceps": Message("mapping.muscle_right_quadriceps"),
    "right hamstrings": Message("mapping.muscle_right_hamstrings"),
    "right tibialis anterior": Message("mapping.muscle_right_tibialis_anterior"),
    "right triceps surae": Message("mapping.muscle_right_triceps_surae"),
}
"""What people call each muscle."""


@dataclass(frozen=True, slots=True)
class MapPlan:
    """What is mapped, and how. Raises :class:`BadValue` for a plan that nobody can follow.

    Attributes
    ----------
    electrode : model, whose signed limits hold. lead : what people call this one.
    muscles : that are recorded, of those of the simulated person.
    top_ma : last current of a ramp, mA. n_currents : of the ramp. width_us : of a pulse, µs.
    """

    electrode: str
    lead: str = "lead"
    muscles: tuple[str, ...] = MUSCLES
    top_ma: float = 6.0
    n_currents: int = 12
    width_us: float = 300.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "muscles", tuple(self.muscles))
        if unknown := [str(one) for one in self.muscles if one not in MUSCLES]:
            raise BadValue(Message("mapping.muscle", got=f"{unknown[0]:.40}", allowed=list(MUSCLES)))
        if not self.muscles or len(set(self.muscles)) != len(self.muscles):
            raise BadValue(Message("mapping.muscles_none"))
        numbers = (self.top_ma, self.width_us, self.n_currents)
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers) or not (
            0 < self.top_ma <= 200 and 0 < self.width_us <= 10_000 and 4 <= self.n_currents <= 40
        ):
            got = f"{self.top_ma!r:.20} mA, {self.n_currents!r:.20}, {self.width_us!r:.20} µs"
            raise BadValue(Message("mapping.plan_wrong", got=got))

    @property
    def currents_ma(self) -> tuple[float, ...]:
        """Currents of a ramp, mA."""
        steps = np.linspace(self.top_ma / self.n_currents, self.top_ma, round(self.n_currents))
        return tuple(round(float(one), 3) for one in steps)

    def programme(self, n_contacts: int) -> Programme:
        """One channel for each contact, against the case of the implant; approved up to the top of the ramp.

        Parameters
        ----------
        n_contacts : of the lead.
        """
        channels = [
            Channel(f"contact {n}", self.electrode, self.lead, (n,), (), self.top_ma, self.width_us, RATE_HZ)
            for n in range(n_contacts)
        ]
        return Programme("contact mapping", tuple(channels), latency_s=LATENCY_S, release_s=RELEASE_S)


@dataclass(slots=True)
class _Kept:
    """What a process that dies leaves behind."""

    accepted: dict[int, ContactCurves] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    chosen: dict[str, int] = field(default_factory=dict)
    trial: ContactCurves | None = None
    contact: int = 0
    charge_uc: dict[int, float] = field(default_factory=dict)
    elapsed_s: float = 0.0
    attempts: dict[int, int] = field(default_factory=dict)


class ContactMapping:
    """A map of one lead of one simulated person.

    Parameters
    ----------
    plan : what is mapped.
    limits : of the electrode model, in force.
    wearer : the person, as the supervisor must know them.
    code : of the simulated person: the same for the same.
    keep : is given what would be lost, as JSON; it raises where that cannot be kept, and then nothing is given.
    progress : what an earlier process kept, None for a new map.
    earlier_uc : charge of this day on each contact outside of this map, µC.
    absent_s : how long no page has answered, s.

    Raises
    ------
    Refused
        For a plan beyond the limits: the text names rule, value and limit.
    BadValue
        For progress of another plan.
    """

    def __init__(
        self,
        plan: MapPlan,
        limits: SignedLimits,
        *,
        wearer: Wearer,
        code: str,
        keep: Callable[[dict[str, Any]], None] = lambda progress: None,
        progress: Mapping[str, Any] | None = None,
        earlier_uc: Mapping[int, float] | None = None,
        absent_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.plan, self.limits = plan, limits
        self.about = about(code)
        self.n_contacts = limits.limits.contacts
        self._kept = _Kept() if progress is None else _from(progress, plan)
        self._keep = keep
        earlier = {n: (earlier_uc or {}).get(n, 0.0) + self._kept.charge_uc.get(n, 0.0) for n in self._numbers}
        # One contact speaks for all: a ramp beyond the limits is refused in one sentence and not in sixteen.
        StimulationSupervisor(Setup(plan.programme(1), (limits,), wearer))
        setup = Setup(
            plan.programme(self.n_contacts),
            (limits,),
            wearer,
            earlier_uc=tuple(((plan.lead, n), uc) for n, uc in earlier.items()),
        )
        state = str((progress or {}).get("body", ""))
        self.bench = Bench(setup, code, state=state, absent_s=absent_s)
        self._before_uc, self._before_s = dict(self._kept.charge_uc), self._kept.elapsed_s
        self.phase: Phase = "ready"
        self.why: Message | str = ""
        self.sweep = np.zeros((0, len(MUSCLES)))
        self._single = False
        # A page asks while a current is given on another thread.
        self._turn = world.clock.rlock()
        self._go_on()

    # ------------------------------------------------------------------------------------------ views
    @property
    def _numbers(self) -> range:
        return range(self.n_contacts)

    @property
    def contact(self) -> int:
        """The one that is asked about, from 0."""
        return self._kept.contact

    @property
    def trial(self) -> ContactCurves | None:
        """What was measured of it and is not accepted yet."""
        return self._kept.trial

    @property
    def accepted(self) -> Mapping[int, ContactCurves]:
        """Accepted contacts."""
        return dict(self._kept.accepted)

    @property
    def skipped(self) -> Mapping[int, str]:
        """Contacts that were left out, and why."""
        return dict(self._kept.skipped)

    @property
    def measured(self) -> list[ContactCurves]:
        """Everything that was measured, with what is not accepted yet."""
        return [*self._kept.accepted.values(), *([self._kept.trial] if self._kept.trial else [])]

    @property
    def next_ma(self) -> float | None:
        """Current that comes next in the ramp, mA; None after the last."""
        reached = self._kept.trial.currents_ma[-1] if self._kept.trial and self._kept.trial.currents_ma else 0.0
        return next((ma for ma in self.plan.currents_ma if ma > reached), None)

    @property
    def elapsed_s(self) -> float:
        """Simulated time since the map was begun, s."""
        return self._before_s + self.bench.elapsed_s

    @property
    def left_s(self) -> float:
        """Simulated time that the contacts to come will take, s, as the ramps are planned."""
        one = len(self.plan.currents_ma) * listened_s() + PAUSE_S
        to_do = self.n_contacts - len(self._kept.accepted) - len(self._kept.skipped)
        done = len(self._kept.trial.currents_ma) * listened_s() if self._kept.trial else 0.0
        return max(0.0, to_do * one - done)

    def greatest_uv(self) -> Any:
        """Greatest response of each muscle so far, ``(n,)`` float64, µV."""
        return greatest_uv(self.measured, len(self.plan.muscles))

    def hot_spots(self) -> list[dict[str, Any]]:
        """What is chosen for each muscle: the most selective accepted contact, or the one that somebody chose."""
        found: list[dict[str, Any]] = []
        ranked = candidates(self._kept.accepted, len(self.plan.muscles))
        greatest = self.greatest_uv()
        for m, muscle in enumerate(self.plan.muscles):
            own = self._kept.chosen.get(muscle)
            rows = [row for row in ranked[m] if own is None or row[1] == own]
            if own == NONE_CHOSEN or not rows:
                found.append({"muscle": muscle, "contact": None, "by": "person" if own is not None else "rule"})
                continue
            selectivity, contact, ma = rows[0]
            said = read(self._kept.accepted[contact], greatest)[m]
            found.append(
                {
                    "muscle": muscle,
                    "contact": contact,
                    "current_ma": ma,
                    "selectivity": selectivity,
                    "threshold_ma": said.threshold_ma,
                    "saturation_ma": said.saturation_ma,
                    "origin": said.origin,
                    "by": "person" if own is not None else "rule",
                }
            )
        return found

    def reasons(self) -> list[dict[str, Any]]:
        """Why the contact may be accepted or not: level ``ok``, ``warn`` or ``bad``, and a sentence of each."""
        trial = self._kept.trial
        if trial is None or not trial.currents_ma:
            return []
        found, n = read(trial, self.greatest_uv()), len(self.plan.muscles)
        off = [NAMES[self.plan.muscles[m]] for m in range(n) if float(trial.first[:, m].max()) < FLAT_UV]
        rows = [
            _reason("bad", Message("mapping.off", muscles=off))
            if off
            else _reason("ok", Message("mapping.recorded", n=n))
        ]
        clear = [(m, one) for m, one in enumerate(found) if one.origin != "unclear"]
        direct = [NAMES[self.plan.muscles[m]] for m, one in clear if one.origin == "direct"]
        if direct:
            rows.append(_reason("warn", Message("mapping.direct", muscles=direct)))
        elif clear:
            rows.append(_reason("ok", Message("mapping.reflex", n=len(clear))))
        else:
            rows.append(_reason("warn", Message("mapping.no_answer", n=f"{trial.currents_ma[-1]:g}")))
        if trial.ended == "top":
            rows.append(_reason("ok", Message("mapping.no_discomfort", n=f"{trial.currents_ma[-1]:g}")))
        else:
            rows.append(_reason("warn", _ended(trial.ended, f"{trial.currents_ma[-1]:g}")))
        falls = [(one.fall, self.plan.muscles[m]) for m, one in clear if one.fall > MOST_FALL]
        if falls:
            most, muscle = max(falls)
            rows.append(
                _reason("warn", Message("mapping.falls", muscle=NAMES[muscle], n=f"{100 * most:.0f}", limit="25"))
            )
        return rows

    # ------------------------------------------------------------------------------------------ acts
    def start(self, by: str, *, single: bool = False) -> None:
        """Begin or go on with the ramp of the contact in question; arms where nobody has.

        Parameters
        ----------
        by : who maps. single : one current alone.

        Raises
        ------
        Refused
            When it is not its turn, or an arming condition is lacking; the text names every one.
        """
        with self._turn:
            self._refuse_unless("ready", "decide")
            if self.next_ma is None:
                raise Refused(Message("mapping.at_top", n=f"{self.plan.top_ma:g}"))
            self.bench.arm(by)
            self.why, self._single = "", single
            self.phase = "ramping"

    def pause(self) -> None:
        """No further current; the ramp may go on from where it is."""
        with self._turn:
            self._refuse_unless("ramping")
            self._close_ramp("operator")

    def accept(self) -> None:
        """The curves of the contact in question are taken, and the next one is asked about.

        Raises
        ------
        Refused
            Where nothing was measured, or a muscle was not recorded.
        """
        with self._turn:
            self._refuse_unless("decide")
            lacking = [row["text"] for row in self.reasons() if row["level"] == "bad"]
            if self._kept.trial is None or lacking:
                raise Refused(lacking[0] if lacking else Message("mapping.nothing_measured"))
            self._kept.accepted[self._kept.contact] = self._kept.trial
            self._kept.skipped.pop(self._kept.contact, None)
            self._done_with(self._kept.contact)

    def redo(self) -> None:
        """What was measured of the contact in question is put aside, and its ramp begins again."""
        with self._turn:
            self._refuse_unless("decide", "ready")
            self._kept.trial = None
            self._kept.attempts[self.contact] = self._kept.attempts.get(self.contact, 0) + 1
            self.phase, self.why = "ready", ""
            self._save()

    def skip(self, reason: str) -> None:
        """The contact in question is left out.

        Parameters
        ----------
        reason : why; needed.
        """
        with self._turn:
            self._refuse_unless("ready", "decide")
            if not reason.strip():
                raise BadValue(Message("mapping.reason_needed"))
            self._kept.skipped[self.contact] = reason.strip()[:500]
            self._kept.accepted.pop(self.contact, None)
            self._done_with(self.contact)

    def undo(self) -> None:
        """The contact that was accepted or left out last is asked about again, with its curves."""
        with self._turn:
            self._refuse_unless("ready", "decide", "done")
            if not self._kept.order:
                raise Refused(Message("mapping.nothing_to_undo"))
            self.repeat(self._kept.order[-1])

    def repeat(self, contact: int) -> None:
        """Ask about a contact again; what was measured of the present one and not accepted is put aside.

        Parameters
        ----------
        contact : number, from 0.
        """
        with self._turn:
            self._refuse_unless("ready", "decide", "done")
            if not isinstance(contact, int) or isinstance(contact, bool) or contact not in self._numbers:
                raise BadValue(Message("mapping.no_contact", got=f"{contact!r:.20}", n=self.n_contacts))
            kept = self._kept
            kept.contact, kept.trial = contact, kept.accepted.pop(contact, None)
            kept.skipped.pop(contact, None)
            kept.order = [one for one in kept.order if one != contact]
            self.phase = "decide" if kept.trial is not None else "ready"
            self.why = ""
            self._save()

    def choose(self, muscle: str, contact: int | None) -> None:
        """A contact of somebody's own choice for a muscle, or none; chosen again it is left to the rule.

        Parameters
        ----------
        muscle : of the plan. contact : accepted and a candidate; None for no hot-spot.
        """
        with self._turn:
            if muscle not in self.plan.muscles:
                raise BadValue(Message("mapping.muscle", got=f"{muscle!r:.40}", allowed=list(self.plan.muscles)))
            wanted = NONE_CHOSEN if contact is None else contact
            ranked = candidates(self._kept.accepted, len(self.plan.muscles))[self.plan.muscles.index(muscle)]
            if contact is not None and contact not in [row[1] for row in ranked]:
                raise Refused(Message("mapping.no_candidate", contact=contact, muscle=NAMES[muscle]))
            if self._kept.chosen.get(muscle) == wanted:
                del self._kept.chosen[muscle]
            else:
                self._kept.chosen[muscle] = wanted
            self._save()

    def discomfort(self, words: str, *, by: str) -> None:
        """The person feels something: current off at once, the ramp ends there, and nothing goes on by itself.

        Parameters
        ----------
        words : what they say. by : who noted it.
        """
        self.bench.felt(words.strip()[:200] or str(Message("mapping.discomfort")), by=by)
        self._halt("discomfort", Message("mapping.discomfort"))

    def stop(self, why: str = "STOP") -> None:
        """Off at once, from any phase and any thread; what was accepted is kept."""
        self.bench.stop(why)
        self._halt("stopped", Message("mapping.stopped"))

    def go_on(self, by: str) -> None:
        """After a STOP or discomfort: reset and a new self-test; the next ramp arms again.

        Parameters
        ----------
        by : who says so.
        """
        with self._turn:
            self._refuse_unless("halted")
        self.bench.reset(by)
        with self._turn:
            self.why = ""
            kept = self._kept
            self.phase = "decide" if kept.trial is not None and kept.trial.currents_ma else "ready"
            if kept.trial is None and (kept.contact in kept.accepted or kept.contact in kept.skipped):
                self._go_on()
            self._save()

    # ------------------------------------------------------------------------------------------ a current
    def advance(self) -> bool:
        """Give the next current of a ramp that is under way; False where there is none."""
        with self._turn:
            ma = self.next_ma
            if self.phase != "ramping" or ma is None:
                return False
            contact = self.contact
            more = ma * self.plan.width_us / 1000.0 * RATE_HZ * MOST_S
            # Before anything flows: a process that dies has counted what it may have given.
            self._save(also_uc={contact: more})
        try:
            emg = self.bench.pair(contact, ma)
        except NotGiven as refusal:
            if self.phase == "ramping":
                self._refused(messages.of(refusal))
            return True
        with self._turn:
            # Somebody may have paused while the pulses were given, and have gone on to another contact since.
            if (self.contact, self.next_ma) != (contact, ma):
                return True
            self.sweep = emg
            self._take(contact, ma, emg)
            ended = self._single or self.next_ma is None
            # A pause in the first current left nothing to decide about until now.
            if ended if self._now == "ramping" else self._now == "ready":
                self._close_ramp("top" if self.next_ma is None else "operator")
        return True

    @property
    def _now(self) -> str:
        """The phase, which another thread may change between two looks at it."""
        return self.phase

    def _take(self, contact: int, ma: float, emg: Any) -> None:
        first, second = responses(emg)
        own = [MUSCLES.index(one) for one in self.plan.muscles]
        before = self._kept.trial or ContactCurves(contact, (), (), (), "operator")
        self._kept.trial = replace(
            before,
            currents_ma=(*before.currents_ma, ma),
            response_uv=(*before.response_uv, _rounded(first[own])),
            second_uv=(*before.second_uv, _rounded(second[own])),
            ended=before.ended if self.phase == "halted" else "operator",
        )

    def _close_ramp(self, ended: Ended, said: str = "") -> None:
        if self._kept.trial is not None:
            self._kept.trial = replace(self._kept.trial, ended=ended, said=said)
        self.phase = "decide" if self._kept.trial is not None else "ready"
        self._save()

    def _refused(self, why: Message | str) -> None:
        """A rule held the current back: the ramp ends there, and the sentence is shown."""
        with self._turn:
            self.why = why
            if self.bench.state in ("ESTOP", "FAULT_SAFE"):
                self._halt("limit", why)
            else:
                self._close_ramp("limit", str(why))

    def _halt(self, ended: Ended, why: Message | str) -> None:
        with self._turn:
            was = self.phase
            self.phase, self.why = "halted", why
            if was == "ramping" and self._kept.trial is not None:
                self._kept.trial = replace(self._kept.trial, ended=ended)
            self._save()

    # ------------------------------------------------------------------------------------------ what is kept
    def _done_with(self, contact: int) -> None:
        self._kept.trial = None
        self._kept.order = [*(one for one in self._kept.order if one != contact), contact]
        self._go_on()
        self._save()

    def _go_on(self) -> None:
        """The next contact that is asked about: what is not done after the present one, then before it."""
        kept = self._kept
        if kept.trial is not None:
            self.phase = "decide"
            return
        here = kept.order[-1] + 1 if kept.order else 0
        after = [n % self.n_contacts for n in range(here, here + self.n_contacts)]
        to_do = [n for n in after if n not in kept.accepted and n not in kept.skipped]
        self.phase = "ready" if to_do else "done"
        kept.contact = to_do[0] if to_do else kept.contact

    def _save(self, *, also_uc: Mapping[int, float] | None = None) -> None:
        used = self.bench.used_uc()
        more = also_uc or {}
        charge = {n: self._before_uc.get(n, 0.0) + used.get(n, 0.0) + more.get(n, 0.0) for n in self._numbers}
        kept = self._kept
        kept.charge_uc, kept.elapsed_s = charge, self.elapsed_s
        self._keep(
            {
                "plan": asdict(self.plan),
                "limits_sha256": self.limits.limits.sha256,
                "accepted": [one.definition() for one in kept.accepted.values()],
                "skipped": {str(n): why for n, why in kept.skipped.items()},
                "order": list(kept.order),
                "chosen": dict(kept.chosen),
                "trial": kept.trial.definition() if kept.trial else None,
                "contact": kept.contact,
                "charge_uc": {str(n): uc for n, uc in charge.items()},
                "elapsed_s": kept.elapsed_s,
                "attempts": {str(n): count for n, count in kept.attempts.items()},
                "body": self.bench.body,
            }
        )

    def _refuse_unless(self, *phases: Phase) -> None:
        if self.phase not in phases:
            raise Refused(Message("mapping.not_now", phase=PHASES[self.phase]))

    def resumed(self) -> None:
        """Whoever goes on with a map has it from now on: an earlier page can keep nothing, and gives nothing."""
        with self._turn:
            self._save()

    @staticmethod
    def begun(plan: MapPlan, *, charge_uc: Mapping[str, float], body: str) -> dict[str, Any]:
        """Progress of a map that begins where another was given up: nothing but the charge and the body of it.

        Parameters
        ----------
        plan : of the new map. charge_uc : of the other, µC by contact. body : as it kept it.
        """
        nothing: dict[str, Any] = {"accepted": [], "skipped": {}, "order": [], "chosen": {}, "attempts": {}}
        none = {"trial": None, "contact": 0, "elapsed_s": 0.0, "charge_uc": dict(charge_uc), "body": body}
        return {"plan": asdict(plan), **nothing, **none}

    # ------------------------------------------------------------------------------------------ the result
    def result_plan(self) -> dict[str, Any]:
        """The plan as JSON has it."""
        return {**asdict(self.plan), "muscles": list(self.plan.muscles)}

    def result(self) -> dict[str, Any]:
        """The map as the record keeps it: plan, curves, hot-spots, charge and time.

        Raises
        ------
        Refused
            Before every contact is accepted or left out with a reason.
        """
        left = self.n_contacts - len(self._kept.accepted) - len(self._kept.skipped)
        if left:
            raise Refused(Message("mapping.to_do", n=left))
        return {
            "plan": self.result_plan(),
            "contacts": [self._kept.accepted[n].definition() for n in sorted(self._kept.accepted)],
            "skipped": {str(n): self._kept.skipped[n] for n in sorted(self._kept.skipped)},
            "attempts": {str(n): count for n, count in sorted(self._kept.attempts.items())},
            "hot_spots": self.hot_spots(),
            "charge_uc": {str(n): uc for n, uc in self._kept.charge_uc.items()},
            "minutes": self.elapsed_s / 60.0,
        }


NONE_CHOSEN = -1
"""Stands for a muscle for which somebody wants no hot-spot."""


def programme_of(result: Mapping[str, Any], name: str, *, rate_hz: float, **more: Any) -> Programme:
    """The programme that a map gives: one channel for each hot-spot, approved up to the current of the map.

    Parameters
    ----------
    result : of a map (:meth:`ContactMapping.result`). name : of the programme. rate_hz : of its pulses.
    more : other fields of :class:`~workbench.stimulation.Programme`.

    Raises
    ------
    Refused
        For a map without a hot-spot.
    """
    plan = result["plan"]
    channels = tuple(
        Channel(
            one["muscle"], plan["electrode"], plan["lead"], (one["contact"],), (), one["current_ma"],
            plan["width_us"], rate_hz,
        )
        for one in result["hot_spots"]
        if one["contact"] is not None
    )  # fmt: skip
    if not channels:
        raise Refused(Message("mapping.no_hot_spot"))
    return Programme(name, channels, **{"latency_s": LATENCY_S, "release_s": RELEASE_S, **more})


def programme_text(programme: Programme) -> str:
    """The file of a programme, as a study keeps it (``docs/stimulation.md``).

    Parameters
    ----------
    programme : of a map, or any other.
    """
    # A string of JSON is one of TOML, and so are its numbers, booleans and lists of numbers.
    heads = ("name", "needs_support", "support_kg", "latency_s", "release_s")
    lines = ["format = 1", *(f"{name} = {json.dumps(getattr(programme, name))}" for name in heads)]
    for channel in programme.channels:
        lines += ["", "[[channel]]", *(f"{name} = {json.dumps(part)}" for name, part in asdict(channel).items())]
    return "\n".join(lines) + "\n"


def _from(progress: Mapping[str, Any], plan: MapPlan) -> _Kept:
    """What an earlier process kept. Raises :class:`BadValue` where it is none, or of another plan."""
    try:
        if MapPlan(**progress["plan"]) != plan:
            raise BadValue(Message("mapping.other_plan"))
        trial = progress["trial"]
        return _Kept(
            {one["contact"]: ContactCurves(**one) for one in progress["accepted"]},
            {int(n): str(why) for n, why in progress["skipped"].items()},
            [int(n) for n in progress["order"]],
            {str(muscle): int(n) for muscle, n in progress["chosen"].items()},
            ContactCurves(**trial) if trial else None,
            int(progress["contact"]),
            {int(n): float(uc) for n, uc in progress["charge_uc"].items()},
            float(progress["elapsed_s"]),
            {int(n): int(count) for n, count in progress["attempts"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadValue(Message("mapping.progress_wrong", why=f"{error!s:.80}")) from error


def _ended(why: Ended, ma: str) -> Message:
    """Why a ramp went no further than so many mA."""
    if why == "discomfort":
        return Message("mapping.ended_discomfort", n=ma)
    if why == "limit":
        return Message("mapping.ended_limit", n=ma)
    if why == "stopped":
        return Message("mapping.ended_stopped", n=ma)
    return Message("mapping.ended_operator", n=ma)


def _reason(level: str, text: Message) -> dict[str, Any]:
    return {"level": level, "text": text}


def _rounded(values: Any) -> tuple[float, ...]:
    return tuple(round(float(one), 1) for one in values)
