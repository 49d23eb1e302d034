"""Responders: one outcome or a composite, with who responded on what and how often chance alone would.

A participant is judged on every component. Components of a group are joined by "any", groups by "all"; what
cannot be judged is missing and handled by the rule for missing values, never silently. Three-valued logic: a
group with one responding component is met whatever the missing ones are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.analysis._components import Component, Judgement, false_positives, judge
from workbench.analysis._exact import Interval, binomial_tail, clopper_pearson
from workbench.analysis._repeats import FalseResponder, false_responder
from workbench.analysis._state import condition_words
from workbench.analysis._table import History
from workbench.errors import BadValue, Refused
from workbench.outcomes import Threshold, table_sha256

MISSING = ("non-responder", "observed", "MI")
"""Rules for participants who cannot be judged: count as non-responders, leave the denominator, impute."""
ASSISTED_BY_BCI: Mapping[str, tuple[Any, Any]] = {"assisted": (False, True), "device_on": (False, True)}
"""Difference in state of a BCI-assisted score against an unassisted baseline."""
Groups = Sequence[Sequence[Component]]


@dataclass(frozen=True, slots=True)
class Responders:
    """How many responded, who, and on what.

    Attributes
    ----------
    rule : the rule as text, with thresholds and citations.
    visit, ref_visit : what was compared with what.
    missing : rule for participants who cannot be judged.
    n, n_responders : denominator and numerator; ``left_out`` names who is not in the denominator.
    rate, interval : share and its exact (Clopper–Pearson) 95 % interval, None without a denominator.
    p0, p_value : one-sided exact binomial test of more than ``p0``; None when no ``p0`` was given.
    verdicts : participant → responded, None when it cannot be said.
    by_component : component → participants who responded on it.
    judgements : every participant on every component, with the change in one sentence.
    false_responder : chance of a responder in whom nothing changed; None with the reason in ``no_false``.
    effect : what a declared difference in state is the effect of, ``""`` for a change under one state.
    table_sha256 : of the table of thresholds in force.
    simulated : participants who are simulated.
    """

    rule: str
    visit: str
    ref_visit: str
    missing: str
    n: int
    n_responders: int
    left_out: tuple[str, ...]
    rate: float | None
    interval: Interval | None
    p0: float | None
    p_value: float | None
    verdicts: Mapping[str, bool | None]
    by_component: Mapping[str, tuple[str, ...]]
    judgements: tuple[Judgement, ...]
    false_responder: FalseResponder | None
    no_false: str
    effect: str
    table_sha256: str
    simulated: tuple[str, ...] = ()

    @property
    def responders(self) -> tuple[str, ...]:
        """Who responded."""
        return tuple(name for name, responded in self.verdicts.items() if responded)

    def line(self) -> str:
        """One sentence with denominator, interval, test, false-responder probability and rule."""
        title = f"responders ({self.effect})" if self.effect else "responders"
        against = f"{self.visit} against {self.ref_visit}"
        if self.rate is None or self.interval is None:
            return f"{title}: nobody could be judged, {against}; {self.rule}"
        low, high = self.interval
        remarks = [f"95 % CI {low:.3f}–{high:.3f}, Clopper–Pearson", self._denominator()]
        if self.p0 is not None and self.p_value is not None:
            test = f"exact one-sided binomial test of {self.n} against p0 = {self.p0:g}"
            remarks.append(f"{test}: p = {self.p_value:.4f}")
        false = self.false_responder
        remarks.append(false.line() if false else f"false-responder probability not known: {self.no_false}")
        remarks += [f"simulated: {', '.join(self.simulated)}"] if self.simulated else []
        remarks += [against, self.rule]
        return f"{title} {self.n_responders}/{self.n} = {self.rate:.3f} ({'; '.join(remarks)})"

    def _denominator(self) -> str:
        if self.missing == "observed":
            out = f", {len(self.left_out)} left out ({', '.join(self.left_out)})" if self.left_out else ""
            return f"denominator: the {self.n} who could be judged{out}"
        unknown = [name for name, responded in self.verdicts.items() if responded is None]
        unjudged = f", of whom {len(unknown)} not judged ({', '.join(unknown)})" if unknown else ""
        return f"denominator: all {self.n} participants{unjudged}, missing = non-responder"

    def listing(self) -> tuple[str, ...]:
        """One sentence per component: who responded on it; then one for each person not judged on it."""
        open_ = (judgement for judgement in self.judgements if judgement.responded is None)
        return (
            *(
                f"{name}: {len(people)} of {self.n} ({', '.join(people) or 'nobody'})"
                for name, people in self.by_component.items()
            ),
            *(
                f"not determinable: {judgement.participant} on {judgement.component}: {_after_name(judgement)}"
                for judgement in open_
            ),
        )


def responder(
    people: Iterable[History],
    *,
    visit: str,
    ref_visit: str,
    any_of: Sequence[Component] = (),
    all_of: Sequence[Sequence[Component]] = (),
    baseline_rule: str = "",
    missing: str = "non-responder",
    p0: float | None = None,
) -> Responders:
    """Responders on one outcome or a composite.

    Parameters
    ----------
    people : the analysis set, one history per participant; all of them are the denominator unless ``missing`` is
        ``"observed"``.
    visit, ref_visit : names of the later visit and of the one it is compared with.
    any_of : components of which one is enough. A single component is a single outcome.
    all_of : groups of components of which each needs one: ``[[strength …], [function …]]``.
    baseline_rule : which of several baseline records counts: ``"first"``, ``"last"`` or ``"mean"``.
    missing : ``"non-responder"`` or ``"observed"``.
    p0 : share that the exact binomial test is made against.

    Raises
    ------
    Refused
        A component without a threshold; ``missing="MI"``.
    BadValue
        No component, nobody, a repeated component, an unknown rule, an ambiguous record.
    """
    groups = tuple(tuple(group) for group in ((any_of,) if any_of else ()) + tuple(all_of))
    _check(groups, missing=missing, p0=p0)
    histories = tuple(people)
    if len({person.participant for person in histories}) != len(histories) or not histories:
        raise BadValue(f"a responder rate needs participants, each once; got {len(histories)} histories")
    judged = [
        judgement
        for person in histories
        for component in (component for group in groups for component in group)
        for judgement in judge(component, person, visit=visit, ref_visit=ref_visit, baseline_rule=baseline_rule)
    ]
    _check_states(judged)
    false, reason = _false(groups, histories, ref_visit=ref_visit, baseline_rule=baseline_rule)
    counted = _counted(
        groups,
        {
            person.participant: [judgement for judgement in judged if judgement.participant == person.participant]
            for person in histories
        },
        visit=visit,
        ref_visit=ref_visit,
        missing=missing,
        p0=p0,
        false=(false, reason),
    )
    return replace(counted, simulated=tuple(person.participant for person in histories if person.simulated))


def _counted(
    groups: Groups,
    judged: Mapping[str, Sequence[Judgement]],
    *,
    visit: str,
    ref_visit: str,
    missing: str,
    p0: float | None,
    false: tuple[FalseResponder | None, str],
) -> Responders:
    verdicts = {name: _verdict(groups, judgements) for name, judgements in judged.items()}
    # Missing counts against the rule, unless the protocol says otherwise: the rate is then conservative.
    counted = [name for name, verdict in verdicts.items() if verdict is not None or missing == "non-responder"]
    n, k = len(counted), sum(verdicts[name] is True for name in counted)
    everything = tuple(judgement for judgements in judged.values() for judgement in judgements)
    return Responders(
        rule=_words(groups),
        visit=visit,
        ref_visit=ref_visit,
        missing=missing,
        n=n,
        n_responders=k,
        left_out=tuple(name for name in verdicts if name not in counted),
        rate=k / n if n else None,
        interval=clopper_pearson(k, n) if n else None,
        p0=p0,
        p_value=None if p0 is None or not n else binomial_tail(k, n, p=p0),
        verdicts=verdicts,
        by_component=_by_component(everything),
        judgements=everything,
        false_responder=false[0],
        no_false=false[1],
        effect="; ".join(
            dict.fromkeys(component.effect for group in groups for component in group if component.effect)
        ),
        table_sha256=table_sha256(),
    )


def _verdict(groups: Groups, judged: Sequence[Judgement]) -> bool | None:
    by_name = {judgement.component: judgement.responded for judgement in judged}
    return _all(_any(by_name[side.name] for component in group for side in component.sides()) for group in groups)


def up_lift(strength: Sequence[Component], function: Sequence[Component]) -> tuple[tuple[Component, ...], ...]:
    """Groups of an Up-LIFT style rule: improvement in one strength and one functional outcome, at least.

    To be given to :func:`responder` as ``all_of``, with the end of stimulation as ``visit`` and the end of
    rehabilitation alone as ``ref_visit`` (Moritz et al., Nat Med 2024, doi:10.1038/s41591-024-02940-9). The
    numbers that each outcome has to reach are not published: every component carries the protocol's own.

    Raises
    ------
    BadValue
        A group is empty.
    Refused
        A component without a threshold.
    """
    if not strength or not function:
        raise BadValue(
            "an Up-LIFT style rule needs strength and functional outcomes, got "
            f"{len(strength)} and {len(function)}"
        )
    bare = [component.name for component in (*strength, *function) if component.threshold is None]
    if bare:
        raise Refused(
            f"the thresholds of Up-LIFT are not published and none is assumed; {', '.join(bare)} need the "
            "protocol's own (own_threshold) or a row of the table"
        )
    return tuple(strength), tuple(function)


def bci_assisted_arat(
    people: Iterable[History],
    *,
    visit: str,
    ref_visit: str,
    side: str,
    threshold: Threshold | None = None,
    part: str = "grasp",
    baseline_rule: str = "",
    missing: str = "non-responder",
) -> Responders:
    """BCI-assisted ARAT response rate against the unassisted baseline, as registered in NCT06990412.

    An orthotic effect: performance with the interface and device on, compared with performance without them. It is
    never recovery, and the result says so.

    Parameters
    ----------
    people, visit, ref_visit, baseline_rule, missing : as for :func:`responder`.
    side : of the implanted or trained hand: ``"left"``, ``"right"`` or ``"either"``.
    threshold : the improvement of ``part`` that counts. It is not published and has no default: the estimate
        refuses until it is set (:func:`workbench.outcomes.own_threshold`).
    part : ``"grasp"`` as registered, or another score of the ARAT.

    Raises
    ------
    Refused
        While the threshold is not set.
    """
    if threshold is None:
        raise Refused(
            "the responder threshold of NCT06990412 is not published and none is assumed; set threshold= to the "
            "protocol's own (own_threshold, with its section) before the response rate is estimated"
        )
    component = Component("arat", part, threshold, side=side, across=ASSISTED_BY_BCI)
    return responder(
        people, visit=visit, ref_visit=ref_visit, any_of=(component,), baseline_rule=baseline_rule, missing=missing
    )


def ais_conversion(
    people: Iterable[History], *, at_least: Threshold, visit: str, ref_visit: str, **rules: Any
) -> Responders:
    """Participants whose AIS grade improved by ``at_least`` grades; ``rules`` as for :func:`responder`.

    A → B and conversion to C or D are distinguished in the judgements (:class:`AisChange`).

    Parameters
    ----------
    people : histories of the participants.
    at_least : a row of the threshold table, in grades.
    visit, ref_visit : names of the later and the baseline visit.
    rules : as for :func:`responder`.
    """
    return _isncsci("ais", at_least, people, visit=visit, ref_visit=ref_visit, **rules)


def motor_level_response(
    people: Iterable[History], *, at_least: Threshold, visit: str, ref_visit: str, **rules: Any
) -> Responders:
    """Participants whose motor level improved by ``at_least`` segments on one side or both.

    Only key-muscle segments count (C5–T1, L2–S1). A level of which several are possible is judged over all of
    them. ``rules`` as for :func:`responder`.

    Parameters
    ----------
    people : histories of the participants.
    at_least : a row of the threshold table, in segments.
    visit, ref_visit : names of the later and the baseline visit.
    rules : as for :func:`responder`.
    """
    return _isncsci("motor_level", at_least, people, visit=visit, ref_visit=ref_visit, **rules)


def _isncsci(part: str, at_least: Threshold, people: Iterable[History], **rules: Any) -> Responders:
    component = Component("isncsci", part, at_least)
    declared = {name: rules.pop(name) for name in ("under", "across") if name in rules}
    return responder(people, any_of=(replace(component, **declared),), **rules)


def _check(groups: Groups, *, missing: str, p0: float | None) -> None:
    if not groups or not all(groups):
        raise BadValue("a responder rule needs any_of or all_of, and every group at least one component")
    if missing not in MISSING:
        raise BadValue(f"missing must be one of {', '.join(MISSING)}; got {missing!r}")
    if missing == "MI":
        raise Refused(
            "multiple imputation of responders is not built: it needs an imputation model that the analysis plan "
            "states. Use 'non-responder', and 'observed' beside it to see how far the missing values matter"
        )
    if p0 is not None and not 0 < p0 < 1:
        raise BadValue(f"p0 must lie between 0 and 1, got {p0}")
    names = [side.name for group in groups for component in group for side in component.sides()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadValue(f"{', '.join(twice)} appears twice in the rule; each outcome counts once")
    for component in (component for group in groups for component in group):
        _ = component.chosen


def _check_states(judgements: Sequence[Judgement]) -> None:
    """One rate, one condition: assisted scores of some are never mixed with unassisted ones of others."""
    for name in dict.fromkeys(judgement.component for judgement in judgements):
        conditions = dict.fromkeys(
            judgement.condition for judgement in judgements if judgement.component == name and judgement.condition
        )
        if len(conditions) > 1:
            described = "; ".join(condition_words(condition) for condition in conditions)
            raise Refused(
                f"{name} was assessed under different conditions in different participants ({described}); say "
                "with under= which one the endpoint is about"
            )


def _after_name(judgement: Judgement) -> str:
    """Why somebody could not be judged, without repeating the name of the component."""
    return judgement.sentence.removeprefix(f"{judgement.component}: ")


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    values = list(verdicts)
    # Kleene's logic: one response settles "any", whatever is missing.
    return True if True in values else None if None in values else False


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    values = list(verdicts)
    # Kleene's logic: one failure settles "all", whatever is missing.
    return False if False in values else None if None in values else True


def _words(groups: Groups) -> str:
    texts = [" or ".join(component.words() for component in group) for group in groups]
    return "rule: " + (texts[0] if len(texts) == 1 else " AND ".join(f"[{text}]" for text in texts))


def _by_component(judgements: Sequence[Judgement]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys(judgement.component for judgement in judgements)
    return {
        name: tuple(
            judgement.participant
            for judgement in judgements
            if judgement.component == name and judgement.responded
        )
        for name in names
    }


def _false(
    groups: Groups, people: Sequence[History], *, ref_visit: str, baseline_rule: str
) -> tuple[FalseResponder | None, str]:
    probabilities: list[dict[str, float]] = []
    for group in groups:
        chances: dict[str, float] = {}
        for component in group:
            by_side, reason = false_positives(component, people, ref_visit=ref_visit, baseline_rule=baseline_rule)
            if reason:
                return None, reason
            chances |= by_side
        probabilities.append(chances)
    return false_responder(probabilities), ""
