"""Everything by one switch: a frame moves over what can be chosen, and a press takes what it stands on. Pure.

The caller tells presses, releases and what time it is, in s of any clock that only rises; nothing here reads a
clock or waits. In the order in which it is met:

- a choice takes effect once a step has passed without another press, which takes it back: a false click undoes
  itself where nobody wanted it, and somebody who sees one presses to undo it;
- arming takes two presses, at places that are drawn anew each time and differ, and a third step to take it back;
- while the glove moves nothing scans: any press is STOP. In every other state a press that is held for
  :data:`HOLD_S` is STOP. After it the switch can call for help and nothing else, until somebody resets it;
- what may be chosen is a closed list: consent, signature, approval and reset are never on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal, NamedTuple, get_args

from workbench.errors import BadValue
from workbench.messages import Message

ScannedAct = Literal[
    "connect", "skin_checked", "start", "finish", "practise", "glove_off", "help", "repeat", "language"
]
SCANNED: tuple[ScannedAct, ...] = get_args(ScannedAct)
"""What one switch may do at home."""
ARMS: tuple[ScannedAct, ...] = ("start",)
"""Those of them after which the glove may move."""
HOLD_S = 2.0
"""A press that lasts as long is STOP."""
DWELL_S = (1.0, 5.0)
"""Shortest and longest step."""
NOTHING = ""
"""A place of the second look that takes back."""

ScanState = Literal["scanning", "in_row", "asking_again", "taking", "moving", "stopped"]
SaidKind = Literal["asks_again", "not_asked", "taken_back", "chosen", "armed", "stop"]


class Said(NamedTuple):
    """Something that happened: what, about which act (``""``: none), when (s), and of a STOP by which press."""

    kind: SaidKind
    act: str
    at_s: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """How the frame moves. Raises :class:`BadValue`.

    Attributes
    ----------
    dwell_s : how long it stands on a place, s.
    layout : place after place, or first over rows and then within the one that was taken.
    columns : places of a row.
    places : of the second look, one of which arms.
    passes : over the second look, or within a row, before it goes back.
    """

    dwell_s: float = 2.0
    layout: Literal["linear", "rows"] = "linear"
    columns: int = 3
    places: int = 4
    passes: int = 1

    def __post_init__(self) -> None:
        least, most = DWELL_S
        if not (isfinite(self.dwell_s) and least <= self.dwell_s <= most):
            raise BadValue(Message("scan.dwell", least=f"{least:g}", most=f"{most:g}", got=f"{self.dwell_s:g}"))
        if self.layout not in ("linear", "rows") or self.columns < 1 or self.places < 3 or self.passes < 1:
            raise BadValue(Message("scan.layout"))


class Scanner:
    """The frame of one switch over one screen after another.

    Parameters
    ----------
    settings : how it moves.
    draw : whole number from 0 up to below its argument, each as likely: where what arms is shown.
    at_s : time now.

    Attributes
    ----------
    state : what a press would meet.
    places : acts in the order of the frame, :data:`NOTHING` for one that takes back.
    """

    def __init__(self, settings: ScanSettings, draw: Callable[[int], int], *, at_s: float) -> None:
        self.settings, self._draw = settings, draw
        self.state: ScanState = "scanning"
        self.places: tuple[str, ...] = ()
        self._acts: tuple[ScannedAct, ...] = ()
        self._row: tuple[str, ...] = ()
        self._act = NOTHING
        self._now = self._began = at_s
        self._pressed = inf
        self._moves = False

    # ------------------------------------------------------------------------------ what is shown
    def show(self, acts: Sequence[ScannedAct], *, at_s: float) -> list[Said]:
        """Show another screen.

        Parameters
        ----------
        acts : best first; where what arms stands is drawn. at_s : time now.

        Raises
        ------
        BadValue
            For an act that no switch may do, one that is there twice, or none.
        """
        if forbidden := [act for act in acts if act not in SCANNED]:
            raise BadValue(Message("scan.forbidden", got=repr(forbidden[0]), allowed=list(SCANNED)))
        if not acts or len(set(acts)) != len(acts):
            raise BadValue(Message("scan.acts", got=list(acts)))
        said = self.advance(at_s)
        self._acts = tuple(acts)
        if self.state not in ("moving", "stopped"):
            self._rescan(at_s)
        return said

    def lit(self) -> tuple[str, ...]:
        """The acts in the frame now: one, a whole row, or none where nothing scans."""
        groups = self._groups()
        return groups[self._at(self._now) % len(groups)] if groups else ()

    @property
    def place(self) -> int:
        """Place or row of the frame now, from 0; -1 where nothing scans."""
        groups = self._groups()
        return self._at(self._now) % len(groups) if groups else -1

    @property
    def taking(self) -> str:
        """The act that takes effect when the step is over; ``""`` where none does."""
        return self._act if self.state == "taking" else NOTHING

    def _groups(self) -> list[tuple[str, ...]]:
        if self.state == "in_row":
            return [(act,) for act in self._row]
        if self.state in ("moving", "taking") or not self.places:
            return []
        if self.state == "scanning" and self.settings.layout == "rows":
            n = self.settings.columns
            return [self.places[i : i + n] for i in range(0, len(self.places), n)]
        return [(act,) for act in self.places]

    def _at(self, now: float) -> int:
        """Steps of the frame since it began."""
        return int((now - self._began) / self.settings.dwell_s)

    def _rescan(self, at_s: float) -> None:
        """Begin with the first place again; what arms stands at another one, drawn anew."""
        others = [act for act in self._acts if act not in ARMS]
        for act in self._acts:
            if act in ARMS:
                others.insert(self._draw(len(others) + 1), act)
        self._go("scanning", at_s, places=tuple(others))

    def _go(self, state: ScanState, at_s: float, *, places: tuple[str, ...] | None = None) -> None:
        self.state, self._began = state, at_s
        if places is not None:
            self.places = places

    # ------------------------------------------------------------------------------ time and presses
    def advance(self, at_s: float) -> list[Said]:
        """Let time pass, and say what came of it. Raises BadValue for a time that is none or lies in the past."""
        if not (isfinite(at_s) and at_s >= self._now):
            raise BadValue(Message("scan.time", now=f"{self._now:g}", got=f"{at_s:g}"))
        said = []
        while (due := self._due()) <= at_s:
            self._now = due
            said += self._fall_due(due)
        self._now = at_s
        return said

    def _due(self) -> float:
        """When something happens by itself."""
        held = self._pressed + HOLD_S
        dwell, passes = self.settings.dwell_s, self.settings.passes
        # Nothing takes effect while the switch is still closed: it may become a STOP.
        ends = {
            "taking": self._began + dwell if self._pressed == inf else inf,
            "asking_again": self._began + passes * len(self.places) * dwell,
            "in_row": self._began + passes * len(self._row) * dwell,
        }.get(self.state, inf)
        return max(self._now, min(held, ends))

    def _fall_due(self, now: float) -> list[Said]:
        if self._pressed + HOLD_S <= now:
            return self._stop(now, "held")
        act = self._act
        if self.state == "taking":
            self._rescan(now)
            return [Said("armed" if act in ARMS else "chosen", act, now)]
        given_up = self.state == "asking_again"
        self._rescan(now)
        return [Said("not_asked", act, now)] if given_up else []

    def press(self, at_s: float) -> list[Said]:
        """The switch closes: takes what is lit, or takes back, or stops a glove that moves."""
        said = self.advance(at_s)
        if self._pressed < inf:
            return said  # it is closed already
        self._pressed = at_s
        # Also after a STOP, until the glove has come to rest.
        if self._moves:
            return said + self._stop(at_s, "pressed")
        if self.state == "taking":
            act = self._act
            self._rescan(at_s)
            return [*said, Said("taken_back", act, at_s)]
        lit = self.lit()
        return said + (self._take(lit, at_s) if lit else [])

    def release(self, at_s: float) -> list[Said]:
        """The switch opens."""
        said = self.advance(at_s)
        self._pressed = inf
        return said

    def _take(self, lit: tuple[str, ...], now: float) -> list[Said]:
        if self.state == "scanning" and self.settings.layout == "rows":
            self._row = lit
            self._go("in_row", now)
            return []
        (act,) = lit
        if self.state == "asking_again":
            if act == NOTHING:
                self._rescan(now)
                return [Said("not_asked", self._act, now)]
            self._go("taking", now)
            return []
        if act in ARMS:
            return self._ask_again(act, now)
        self._act = act
        # After a STOP a call for help is one press: nothing else can be meant.
        if self.state == "stopped":
            return [Said("chosen", act, now)]
        self._go("taking", now)
        return []

    def _ask_again(self, act: str, now: float) -> list[Said]:
        """A second look, at which what arms stands at another place than it stood at the first."""
        first, n = self.places.index(act), self.settings.places
        free = [place for place in range(n) if place != first]
        place = free[self._draw(len(free))]
        self._act = act
        self._go("asking_again", now, places=tuple(act if i == place else NOTHING for i in range(n)))
        return [Said("asks_again", act, now)]

    # ------------------------------------------------------------------------------ the glove, and STOP
    def glove(self, *, moves: bool, at_s: float) -> list[Said]:
        """The glove begins to move or rests again; what was being chosen is dropped."""
        said = self.advance(at_s)
        began, self._moves = moves and not self._moves, moves
        if began and self._pressed < inf:
            # A switch that is closed when the movement begins is a press while it moves.
            return said + self._stop(at_s, "pressed")
        if self.state == "stopped" or moves == (self.state == "moving"):
            return said
        if moves:
            self._go("moving", at_s, places=())
        else:
            self._rescan(at_s)
        return said

    def _stop(self, now: float, why: str) -> list[Said]:
        self._go("stopped", now, places=("help",))
        # Held on, it says STOP again after as long: a STOP is never told only once.
        self._pressed = now if self._pressed < inf else inf
        return [Said("stop", NOTHING, now, why)]

    def reset(self, *, at_s: float) -> list[Said]:
        """Somebody whom the home rule names has reset the STOP, after a self-test; no switch does.

        Nothing is reset while the glove moves, and no STOP that falls due only now: nobody has seen it.
        """
        said = self.advance(at_s)
        if self.state == "stopped" and not self._moves and not any(one.kind == "stop" for one in said):
            self._rescan(at_s)
        return said
