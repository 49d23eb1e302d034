"""The engine's own streams for other programs: cues and states of a run, and decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from workbench.devices import lsl
from workbench.engine.streams import Streams
from workbench.live.plan import OUTLETS, SessionPlan
from workbench.vocabulary import Decision, Marker, StreamSpec, contents


class Outlets:
    """LSL outlets of a session. The commands have one of their own, see :class:`EffectorLink`.

    Parameters
    ----------
    plan : of the session.
    streams : give the time.
    """

    def __init__(self, plan: SessionPlan, streams: Streams) -> None:
        self._plan, self._streams = plan, streams
        self._open: dict[str, lsl.Outlet] = {}

    def open(self, purpose: str, desc: dict[str, Any]) -> None:
        """Open the outlet of a purpose, a key of :data:`OUTLETS`; ``desc`` goes into its description."""
        self._open[purpose] = lsl.Outlet(
            StreamSpec(
                OUTLETS[purpose],
                purpose.capitalize(),
                0.0,
                source_id=self._plan.source_id(purpose),
                role="markers",
            ),
            desc=desc,
        )

    def uids(self) -> frozenset[str]:
        """uids of the open outlets."""
        return frozenset(outlet.uid for outlet in self._open.values())

    def publish_state(self, kind: str, *, stamp: float | None = None, **more: Any) -> None:
        """A JSON text on the cue stream: what a run does, a STOP, or a cue. Without a stamp (s), now."""
        when = self._streams.now() if stamp is None else stamp
        self._open["cues"].push_text(json.dumps({"kind": kind, "stamp": when, **more}), when)

    def publish_cue(self, marker: Marker) -> None:
        """A cue."""
        self.publish_state("cue", stamp=marker.stamp, label=marker.label, **marker.detail)

    def publish_decision(self, decision: Decision, classes: tuple[str, ...]) -> None:
        """A decision, with the names of its probabilities."""
        text = json.dumps({**contents(decision), "classes": classes})
        self._open["decisions"].push_text(text, decision.stamp)

    def closes(self) -> list[Callable[[], object]]:
        """One call for each that closes it, so that one that fails keeps none of the others open."""
        return [outlet.close for outlet in self._open.values()]
