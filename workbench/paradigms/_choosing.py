"""Choosing one of several items from the evidence of many windows: what spellers and selections share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._base import Request, Rule
from workbench.paradigms._judged import judged_trial
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial

FREE, REST = "free", "rest"
"""Labels of a choice that only the participant knows, and of the time between two choices."""

LOOK = "look:"
"""A cue that begins with it says which item comes next; it is shown and decides nothing."""

DISTURBED = "disturbed:"
"""A cue that begins with it says why what was shown was not what was planned: a hidden page, a dropped frame."""

MODES = ("copy", "free")


class Posterior(Protocol):
    """What sums the evidence of a choice."""

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Posterior of each item."""

    @property
    def chosen(self) -> int | None:
        """The item that is likely enough, None while there is none."""

    @property
    def likeliest(self) -> int | None:
        """The item that is chosen when no more evidence comes, None where there was too little."""


P = TypeVar("P", bound=Posterior)


@dataclass
class Choice(Generic[P]):
    """An open trial.

    Attributes
    ----------
    index, cue : number in the run, and the cue that opened it.
    posterior : None in a run without a decoder.
    waiting : windows that were not answered yet, each with the stimulus it belongs to (-1 for none).
    closed : whether no more windows come.
    valid : whether any window was valid.
    excluded : why it does not count, ``""`` when it does.
    """

    index: int
    cue: LocatedCue
    posterior: P | None
    waiting: list[tuple[Request, int]] = field(default_factory=list)
    closed: bool = False
    valid: bool = False
    excluded: str = ""


def check_items(items: Sequence[str], *, name: str) -> None:
    """Raise :class:`BadValue` unless the items differ and none has a name that cues use.

    Parameters
    ----------
    items : of a paradigm. name : of the paradigm.
    """
    taken = [item for item in items if item in (FREE, REST, "") or ":" in item]
    if len(items) < 2 or len(set(items)) != len(items) or taken:
        raise BadValue(Message("paradigm.items", paradigm=name, got=", ".join(map(repr, items)) or "none"))


class ChoosingRule(Rule, Generic[P]):
    """Opens a choice at the cue of an item or of a free choice, and closes it when one item is likely enough.

    Parameters
    ----------
    items : in the order of the posterior.
    fs : rate in Hz.
    decodes : whether there is a decoder.
    """

    def __init__(self, items: tuple[str, ...], *, fs: float, decodes: bool) -> None:
        self._items, self._fs, self._decodes = items, fs, decodes
        self._open: list[Choice[P]] = []
        self._count = 0

    @abstractmethod
    def posterior(self) -> P:
        """A posterior that knows nothing yet."""

    @abstractmethod
    def opened(self, choice: Choice[P], *, at: int) -> None:
        """A choice opened at sample ``at``: note the windows that are known by now."""

    @abstractmethod
    def stimulus(self, choice: Choice[P], cue: LocatedCue, *, at: int) -> None:
        """A cue that neither opens nor closes a choice.

        Parameters
        ----------
        choice : that is open.
        cue : what was shown.
        at : sample at which it took effect.
        """

    @abstractmethod
    def add(self, posterior: P, stimulus: int, evidence: Evidence) -> None:
        """Add the evidence of one window.

        Parameters
        ----------
        posterior : of the open choice. stimulus : to which the window belongs.
        evidence : of the window.
        """

    @property
    def due(self) -> Request | None:
        """The window that comes first."""
        requests = [choice.waiting[0][0] for choice in self._open if choice.waiting]
        return min(requests, default=None)

    def wait(self, choice: Choice[P], end: int, *, stimulus: int, at: int) -> None:
        """Await the window that ends before sample ``end``.

        Parameters
        ----------
        choice : to which it belongs. end : sample.
        stimulus : number of what was shown, -1 for none.
        at : sample of now; a marker that came late is answered at once.
        """
        choice.waiting.append((Request(max(at, end), end), stimulus))
        choice.waiting.sort()

    def cue(self, cue: LocatedCue, *, at: int) -> list[Trial]:
        """A choice begins or ends, or a stimulus was shown."""
        if cue.label in self._items or cue.label == FREE:
            self._close(cue, at=at)
            posterior = self.posterior() if self._decodes else None
            choice = Choice(self._count, cue, posterior)
            self._open.append(choice)
            self._count += 1
            self.opened(choice, at=at)
        elif cue.label.startswith(DISTURBED):
            why = cue.label.removeprefix(DISTURBED).strip()
            self.interrupt(at=at, reason=Message("trial.disturbed", why=why), resets=False)
        elif cue.label == REST:
            self._close(cue, at=at)
        elif self._open and not self._open[-1].closed:
            self.stimulus(self._open[-1], cue, at=at)
        return []

    def ended(self, choice: Choice[P], cue: LocatedCue) -> None:
        """The stimuli of a choice ended with this cue: forget the windows that they do not fill."""

    def _close(self, cue: LocatedCue, *, at: int) -> None:
        """No more windows come for what is open."""
        for choice in self._open:
            choice.closed = True
            self.ended(choice, cue)
            # A choice is decided with the answer to a window: where none is awaited, one is asked for.
            if not choice.waiting:
                self.wait(choice, at, stimulus=-1, at=at)

    def decide(self, request: Request, *, stamp: float, evidence: Evidence | None) -> list[Decision | Trial]:
        """Add the evidence of a window, and decide where that is enough."""
        choice = next(one for one in self._open if one.waiting and one.waiting[0][0] == request)
        _, stimulus = choice.waiting.pop(0)
        last = choice.closed and not choice.waiting
        posterior = choice.posterior
        if posterior is None:
            return [self._end(choice, request.at, decided="")] if last or choice.excluded else []
        self._take(choice, posterior, stimulus, evidence)
        chosen = posterior.likeliest if last and posterior.chosen is None else posterior.chosen
        over = last or chosen is not None or bool(choice.excluded)
        if over and not choice.valid:
            choice.excluded = choice.excluded or Message("trial.window_incomplete")
        label = self._items[chosen] if chosen is not None and not choice.excluded else ""
        valid = evidence is not None and evidence.valid
        change = "cued" if over else ""
        decision = Decision(request.at, stamp, label, posterior.probabilities, valid, change, choice.index)
        return [decision, self._end(choice, request.at, decided=label)] if over else [decision]

    def _take(self, choice: Choice[P], posterior: P, stimulus: int, evidence: Evidence | None) -> None:
        """Add a window to its choice; one that is gone excludes it."""
        if evidence is None:
            choice.excluded = choice.excluded or Message("trial.window_left")
        elif stimulus >= 0:
            choice.valid = choice.valid or evidence.valid
            self.add(posterior, stimulus, evidence)

    def interrupt(self, *, at: int, reason: str, resets: bool) -> None:
        """Every open choice is excluded."""
        for choice in self._open:
            choice.excluded = choice.excluded or reason

    def finish(self, *, at: int) -> list[Trial]:
        """Choices that were not decided."""
        for choice in self._open:
            choice.excluded = choice.excluded or Message("trial.run_ended_in_window")
        return [self._end(choice, at, decided="") for choice in list(self._open)]

    def _end(self, choice: Choice[P], at: int, *, decided: str) -> Trial:
        self._open.remove(choice)
        # Of a free choice nobody else knows what was meant: there is nothing to compare with.
        compared = self._decodes and choice.cue.label != FREE
        return judged_trial(
            choice.index,
            choice.cue,
            at,
            fs=self._fs,
            decided=decided,
            compared=compared,
            excluded=choice.excluded,
        )
