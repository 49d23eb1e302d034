"""The one thing that is stubbed: Lab Streaming Layer, as far as the workbench uses it, in a virtual world.

The contract of the stub, which ``tests/simulation/test_lsl_contract.py`` checks against real liblsl too:

- what an outlet pushes reaches each inlet that was open, in order, each sample with the stamp it was pushed with;
- an inlet holds at most its buffer; what does not fit any more is lost from its oldest end;
- an inlet without recovery whose outlet has gone raises ``LostError`` at its next pull, after what had arrived;
- an inlet whose description was not asked for waits for it at its first pull, whatever the timeout, until the
  outlet answers or is gone;
- a resolver shows a new outlet after a moment, and one that has gone for up to ``forget_after`` s more;
- a clock offset is the difference of both clocks, wrong by at most half of its uncertainty, and an outlet that
  does not answer gives none.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np

from workbench.simulation.scheduler import NS, Killed, Process, Scheduler, Thread

FORMATS = {"undefined": 0, "float32": 1, "double64": 2, "string": 3, "int32": 4, "int16": 5, "int8": 6, "int64": 7}
DTYPES = {"float32": np.float32, "double64": np.float64, "int32": np.int32, "int16": np.int16, "int8": np.int8}
SEEN_AFTER_S = 0.05
"""How long a new outlet takes to be seen, s."""
LOST_AFTER_S = 0.02
"""How long the end of an outlet takes to be noticed by its inlets, s."""
ASKED_AGAIN_S = 0.1
"""How long a first pull waits for the description before it asks again, s."""


TIMEOUT, LOST = -1, -2
"""``lsl_timeout_error`` and ``lsl_lost_error`` of liblsl."""


class LostError(RuntimeError):
    """The outlet has gone."""


class TimeoutError(RuntimeError):
    """Nobody answered in time."""


class Element:
    """An element of a stream's description."""

    def __init__(self, node: ElementTree.Element | None, siblings: Sequence[ElementTree.Element] = ()) -> None:
        self._node, self._siblings = node, siblings

    def empty(self) -> bool:
        """Whether there is none."""
        return self._node is None

    def name(self) -> str:
        """Its tag."""
        return "" if self._node is None else self._node.tag

    def child(self, name: str) -> Element:
        """The first child of a name."""
        return Element(None) if self._node is None else Element(self._node.find(name), tuple(self._node))

    def first_child(self) -> Element:
        """The first child."""
        if self._node is None or not len(self._node):
            return Element(None)
        return Element(self._node[0], tuple(self._node))

    def next_sibling(self, name: str = "") -> Element:
        """The next one, of a name."""
        if self._node is None:
            return self
        at = next(k for k, one in enumerate(self._siblings) if one is self._node)
        for one in self._siblings[at + 1 :]:
            if not name or one.tag == name:
                return Element(one, self._siblings)
        return Element(None)

    def child_value(self, name: str = "") -> str:
        """Its text, or that of a child."""
        node = self._node if self._node is None or not name else self._node.find(name)
        return "" if node is None else node.text or ""

    def append_child(self, name: str) -> Element:
        """A new child."""
        return Element(None if self._node is None else ElementTree.SubElement(self._node, name))

    def append_child_value(self, name: str, value: str) -> Element:
        """A new child with a text."""
        if self._node is not None:
            ElementTree.SubElement(self._node, name).text = value
        return self


class StreamInfo:
    """What a stream says about itself.

    Parameters
    ----------
    name, type : of the stream.
    channel_count : number of channels.
    nominal_srate : Hz; 0 for an irregular stream.
    channel_format : a key or a value of :data:`FORMATS`.
    source_id : of the device.
    """

    def __init__(
        self,
        name: str = "",
        type: str = "",
        channel_count: int = 1,
        nominal_srate: float = 0.0,
        channel_format: str | int = "float32",
        source_id: str = "",
    ) -> None:
        self._name, self._type, self._channels, self._fs = name, type, int(channel_count), float(nominal_srate)
        self._format = FORMATS[channel_format] if isinstance(channel_format, str) else int(channel_format)
        self._source_id = source_id
        self._uid, self._host = "", ""
        self._desc = ElementTree.Element("desc")
        self.outlet: Source | None = None

    def name(self) -> str:
        return self._name

    def type(self) -> str:
        return self._type

    def channel_count(self) -> int:
        return self._channels

    def nominal_srate(self) -> float:
        return self._fs

    def channel_format(self) -> int:
        return self._format

    def source_id(self) -> str:
        return self._source_id

    def uid(self) -> str:
        return self._uid

    def hostname(self) -> str:
        return self._host

    def session_id(self) -> str:
        return "default"

    def desc(self) -> Element:
        return Element(self._desc)

    def announced(self, outlet: Source) -> None:
        """It belongs to an outlet now."""
        self.outlet, self._uid, self._host = outlet, outlet.uid, outlet.process.host.name

    def as_xml(self) -> str:
        """The header, as liblsl writes it."""
        root = ElementTree.Element("info")
        kinds = {number: name for name, number in FORMATS.items()}
        for tag, value in (
            ("name", self._name),
            ("type", self._type),
            ("channel_count", self._channels),
            ("channel_format", kinds[self._format]),
            ("source_id", self._source_id),
            ("nominal_srate", repr(self._fs)),
            ("version", "1.1"),
            ("uid", self._uid),
            ("session_id", "default"),
            ("hostname", self._host),
        ):
            ElementTree.SubElement(root, tag).text = str(value)
        root.append(self._desc)
        return '<?xml version="1.0"?>\n' + ElementTree.tostring(root, encoding="unicode")


@dataclass
class Link:
    """What the network does between two computers from now on.

    Attributes
    ----------
    delay_s : draws how long a packet travels, s.
    cut : whether nothing passes; what was sent meanwhile arrives when it heals.
    """

    delay_s: Callable[[], float]
    cut: bool = False


@dataclass
class Air:
    """Everything that is announced.

    Attributes
    ----------
    scheduler : of the world.
    link : between two computers, by their names.
    uid : draws the id of an outlet.
    heard : told everything that is pushed; for whoever watches the world.
    outlets, gone : by uid, those that are announced, and when the others went, world time in ns.
    changes : how often either changed.
    """

    scheduler: Scheduler
    link: Callable[[str, str], Link]
    uid: Callable[[], str]
    heard: Callable[[Source, Any], None] = lambda source, values: None
    outlets: dict[str, Source] = field(default_factory=dict)
    gone: dict[str, tuple[int, StreamInfo]] = field(default_factory=dict)
    changes: int = 0

    def process(self) -> Process:
        """Whose turn it is."""
        thread = self.scheduler.current
        if thread is None:
            raise RuntimeError("a stream of the virtual world belongs to a virtual process")
        if not thread.process.alive:
            raise Killed
        return thread.process

    def clock(self, process: Process) -> float:
        """LSL time of a process's computer, s."""
        return process.host.ran_ns(self.scheduler.now) / NS

    def healed(self) -> None:
        """A way that was cut is whole again: what waited on it arrives."""
        for outlet in self.outlets.values():
            for inlet in outlet.inlets:
                self.scheduler.wake(inlet.waiting)

    def library(self) -> Any:
        """What stands in for the module ``pylsl``."""
        air, scheduler = self, self.scheduler

        def local_clock() -> float:
            # Asked as often as all other doors together: no call where none is needed.
            thread = scheduler.current
            process = thread.process if thread is not None and thread.process.alive else air.process()
            return process.host.ran_ns(scheduler.now) / NS

        def outlet(info: StreamInfo, chunk_size: int = 0, max_buffered: int = 360) -> StreamOutlet:
            del chunk_size, max_buffered
            return StreamOutlet(air, info)

        def inlet(
            info: StreamInfo,
            max_buflen: int = 360,
            max_chunklen: int = 0,
            recover: bool = True,
            processing_flags: int = 0,
        ) -> StreamInlet:
            del max_chunklen, processing_flags
            if recover:
                raise NotImplementedError("the workbench opens no inlet that recovers, so none is simulated")
            return StreamInlet(air, info, max_buflen)

        def resolve_byprop(name: str, value: str, minimum: int = 1, timeout: float = 32.0) -> list[StreamInfo]:
            resolver = Resolver(air, name, value)
            end = air.scheduler.now + round(timeout * NS)
            while len(found := resolver.results()) < minimum and air.scheduler.now < end:
                air.scheduler.wait(None, 0.05)
            return found

        def resolve_streams(wait_time: float = 1.0) -> list[StreamInfo]:
            air.scheduler.wait(None, wait_time)
            return Resolver(air).results()

        def continuous_resolver(
            prop: str | None = None, value: str | None = None, pred: str | None = None, forget_after: float = 5.0
        ) -> Resolver:
            return Resolver(air, prop or "", value or "", pred or "", forget_after)

        return SimpleNamespace(
            StreamInfo=StreamInfo,
            StreamOutlet=outlet,
            StreamInlet=inlet,
            ContinuousResolver=continuous_resolver,
            resolve_byprop=resolve_byprop,
            resolve_streams=resolve_streams,
            local_clock=local_clock,
            library_version=lambda: 118,
            protocol_version=lambda: 110,
            library_info=lambda: "simulated",
            __version__="simulated",
            util=SimpleNamespace(LostError=LostError, TimeoutError=TimeoutError),
            lib=SimpleNamespace(lib={"lsl_time_correction_ex": _time_correction}),
        )


class Source:
    """A stream that is announced."""

    def __init__(self, air: Air, info: StreamInfo) -> None:
        self.air, self.info = air, info
        self.process = air.process()
        self.uid = air.uid()
        self.announced_ns = air.scheduler.now
        self.inlets: list[StreamInlet] = []
        self.waiting: list[tuple[Thread, int]] = []
        self.open = True
        info.announced(self)
        air.outlets[self.uid] = self
        air.changes += 1
        self.process.on_end.append(self.close)

    def push_chunk(self, values: Any, stamps: Any) -> None:
        rows = np.array(values, dtype=DTYPES[_name(self.info)])
        self._push(rows, np.array(stamps, dtype=np.float64) if np.ndim(stamps) else np.full(len(rows), stamps))

    def push_sample(self, values: Sequence[Any], stamp: float) -> None:
        if self.info.channel_format() == FORMATS["string"]:
            row = np.array([str(v).encode() for v in values], dtype=object)
        else:
            row = np.array(values, dtype=DTYPES[_name(self.info)])
        self._push(row[None], np.array([stamp], dtype=np.float64))

    def _push(self, values: Any, stamps: Any) -> None:
        self.air.process()
        self.air.heard(self, values)
        for inlet in self.inlets:
            inlet.arrive(values, stamps)

    def close(self) -> None:
        """It is gone."""
        if not self.open:
            return
        self.open = False
        self.air.outlets.pop(self.uid, None)
        now = self.air.scheduler.now
        self.air.gone[self.uid] = (now, self.info)
        self.air.gone = {uid: one for uid, one in self.air.gone.items() if now - one[0] < 30 * NS}
        self.air.changes += 1
        for inlet in list(self.inlets):
            inlet.lose()


class StreamOutlet:
    """What holds a stream: it is gone with this."""

    def __init__(self, air: Air, info: StreamInfo) -> None:
        self._source = Source(air, info)
        self.push_chunk, self.push_sample = self._source.push_chunk, self._source.push_sample

    def get_info(self) -> StreamInfo:
        return self._source.info

    def wait_for_consumers(self, timeout: float) -> bool:
        source = self._source
        if not source.inlets:
            source.air.scheduler.wait(source.waiting, timeout)
        return bool(source.inlets)

    def have_consumers(self) -> bool:
        return bool(self._source.inlets)

    def __del__(self) -> None:
        self._source.close()


class StreamInlet:
    """Receives a stream.

    Parameters
    ----------
    air : of the world.
    info : of the stream.
    max_buflen : what it holds at most, s; hundreds of samples of an irregular stream.
    """

    def __init__(self, air: Air, info: StreamInfo, max_buflen: int) -> None:
        self.air, self.process = air, air.process()
        self._info = info
        self.obj = self
        self.lost = False
        self._open = self._described = False
        self.waiting: list[tuple[Thread, int]] = []
        # When it arrives, values (n_times, n_channels), stamps (n_times,).
        self._chunks: deque[tuple[int, Any, Any]] = deque()
        self._held = 0
        fs = info.nominal_srate()
        # As liblsl counts: seconds of a regular stream, hundreds of samples of an irregular one.
        self._room = round(max_buflen * fs) if fs else max_buflen * 100
        self._latest = 0
        self.dropped = 0
        self.process.on_end.append(self.close_stream)

    @property
    def outlet(self) -> Source | None:
        """What it receives from, None when that has gone."""
        outlet = self._info.outlet
        return outlet if outlet is not None and outlet.open else None

    @cached_property
    def link(self) -> Link:
        """To the other computer."""
        outlet = self._info.outlet
        other = self.process.host.name if outlet is None else outlet.process.host.name
        return self.air.link(other, self.process.host.name)

    def answers(self, timeout: float) -> bool:
        """Ask the other side; whether it answers in time."""
        outlet, link = self.outlet, self.link
        there = outlet is not None and not link.cut and not outlet.process.frozen
        self.air.scheduler.wait(None, min(2 * link.delay_s(), timeout) if there else timeout)
        return there and self.outlet is not None

    def info(self, timeout: float = 32.0) -> StreamInfo:
        if not self.answers(timeout):
            raise TimeoutError("no answer")
        self._described = True
        return self._info

    def open_stream(self, timeout: float = 32.0) -> None:
        if self._open:
            return
        if not self.answers(timeout):
            raise TimeoutError("no answer")
        outlet = self.outlet
        if outlet is None:
            raise LostError
        self._open = True
        outlet.inlets.append(self)
        self.air.scheduler.wake(outlet.waiting)

    def arrive(self, values: Any, stamps: Any) -> None:
        """Samples are on their way; TCP keeps their order."""
        scheduler, link = self.air.scheduler, self.link
        due = self._latest = max(self._latest, scheduler.now + round(link.delay_s() * NS))
        self._chunks.append((due, values, stamps))
        self._held += len(stamps)
        if self._held > self._room:
            self.dropped += self._held - self._room
            self._take(self._held - self._room)
        if self.waiting:
            scheduler.at(due, lambda: scheduler.wake(self.waiting))

    def _take(self, n: int, *, by_ns: float = inf) -> list[tuple[Any, Any]]:
        """The oldest ``n`` samples that have arrived by a time, in pieces."""
        taken = []
        while n > 0 and self._chunks and self._chunks[0][0] <= by_ns:
            due, values, stamps = self._chunks.popleft()
            if len(stamps) > n:
                self._chunks.appendleft((due, values[n:], stamps[n:]))
                values, stamps = values[:n], stamps[:n]
            taken.append((values, stamps))
            n -= len(stamps)
            self._held -= len(stamps)
        return taken

    def lose(self) -> None:
        """The outlet has gone; noticed in a moment, after what had arrived."""
        outlet = self._info.outlet
        if outlet is not None and self in outlet.inlets:
            outlet.inlets.remove(self)
        scheduler = self.air.scheduler

        def noticed() -> None:
            self.lost = True
            scheduler.wake(self.waiting)

        scheduler.at(max(self._latest, scheduler.now + round(LOST_AFTER_S * NS)), noticed)

    def pull_chunk(
        self,
        timeout: float = 0.0,
        max_samples: int = 1024,
        dest_obj: Any = None,
        *,
        min_samples: int = 0,
        as_numpy: bool = False,
    ) -> tuple[Any, Any]:
        """What has arrived.

        Parameters
        ----------
        timeout : s to wait for the first sample, where ``min_samples`` is not 0.
        max_samples : most samples at once.
        dest_obj, as_numpy : of pylsl; what is given is always an array of its own.
        min_samples : 0 to wait for none.

        Returns
        -------
        values : ``(n_times, n_channels)`` in the dtype of the stream, texts as bytes.
        stamps : ``(n_times,)`` float64, s. Both are empty when nothing came.

        Raises
        ------
        LostError
            When the outlet has gone and all that had arrived was given.
        """
        del dest_obj, as_numpy
        scheduler = self.air.scheduler
        self.air.process()
        # As liblsl does: it needs the number of channels, and asks for it with no limit of time.
        while not self._described and not self.lost:
            self._described = self.answers(ASKED_AGAIN_S)
        end = scheduler.now + round(timeout * NS)
        while min_samples and not self._arrived() and scheduler.now < end:
            if self.lost:
                raise LostError
            first = self._chunks[0][0] if self._chunks and not self.link.cut else end
            scheduler.wait(self.waiting, (min(first, end) - scheduler.now) / NS)
        taken = self._take(max_samples, by_ns=scheduler.now) if self._arrived() else []
        if not taken:
            if self.lost:
                raise LostError
            return np.empty((0, self._info.channel_count())), np.empty(0)
        if len(taken) == 1:
            return taken[0]
        return np.concatenate([values for values, _ in taken]), np.concatenate([stamps for _, stamps in taken])

    def _arrived(self) -> bool:
        # Through a cut network nothing comes; it comes when the network heals.
        return bool(self._chunks) and self._chunks[0][0] <= self.air.scheduler.now and not self.link.cut

    def close_stream(self) -> None:
        """Receive no more."""
        outlet = self._info.outlet
        if outlet is not None and self in outlet.inlets:
            outlet.inlets.remove(self)
        self._open = False


class Resolver:
    """Looks for streams.

    Parameters
    ----------
    air : of the world.
    prop, value : a field of the header and what it must be; all streams without.
    predicate : another condition instead, as liblsl takes it.
    forget_after : s for which a stream that has gone is still shown.
    """

    def __init__(
        self, air: Air, prop: str = "", value: str = "", predicate: str = "", forget_after: float = 5.0
    ) -> None:
        self._air, self._forget_ns, self._since = air, round(forget_after * NS), air.scheduler.now
        self._asks = _predicate(predicate) if predicate else lambda info: not prop or _field(info, prop) == value
        # By uid: what an outlet announces stays as it is.
        self._fit: dict[str, bool] = {}
        # Those that fit, as of a number of changes: ten looks a second ask of each outlet once.
        self._outlets: list[Source] = []
        self._gone: list[tuple[int, StreamInfo]] = []
        self._changes = -1

    def results(self) -> list[StreamInfo]:
        """What it sees."""
        air = self._air
        now, host = air.scheduler.now, air.process().host.name
        if self._changes != air.changes:
            self._changes = air.changes
            self._outlets = [outlet for uid, outlet in air.outlets.items() if self._fits(uid, outlet.info)]
            # Only those that answered this resolver before they went.
            self._gone = [one for uid, one in air.gone.items() if one[0] > self._since and self._fits(uid, one[1])]
        seen = [
            outlet.info
            for outlet in self._outlets
            if now - outlet.announced_ns >= SEEN_AFTER_S * NS
            and not outlet.process.frozen
            and not air.link(outlet.process.host.name, host).cut
        ]
        return seen + [info for at, info in self._gone if now - at < self._forget_ns]

    def _fits(self, uid: str, info: StreamInfo) -> bool:
        fits = self._fit.get(uid)
        if fits is None:
            fits = self._fit[uid] = self._asks(info)
        return fits


def _name(info: StreamInfo) -> str:
    return next(name for name, number in FORMATS.items() if number == info.channel_format())


def _field(info: StreamInfo, name: str) -> str:
    return str(getattr(info, name)())


_TERM = re.compile(r"(?:(starts-with)\((\w+),'([^']*)'\)|(\w+)='([^']*)')")


def _predicate(text: str) -> Callable[[StreamInfo], bool]:
    """The predicates that the workbench asks: equal or beginning with, joined by ``or``."""
    terms = [
        (bool(begins), named or other, start if begins else equal)
        for begins, named, start, other, equal in _TERM.findall(text)
    ]
    return lambda info: any(
        _field(info, name).startswith(value) if begins else _field(info, name) == value
        for begins, name, value in terms
    )


class _TimeCorrection:
    """``lsl_time_correction_ex`` as :mod:`ctypes` would hand it out."""

    restype: Any = None
    argtypes: Any = None

    def __call__(self, inlet: StreamInlet, remote: Any, spread: Any, timeout: Any, code: Any) -> float:
        link = inlet.link
        if not inlet.answers(timeout.value) or (outlet := inlet.outlet) is None:
            code._obj.value = LOST if inlet.outlet is None else TIMEOUT
            return 0.0
        there, here = inlet.air.clock(outlet.process), inlet.air.clock(inlet.process)
        there_and_back = 2 * link.delay_s()
        remote._obj.value, spread._obj.value, code._obj.value = there, there_and_back, 0
        return here - there


_time_correction = _TimeCorrection()
