"""Read pairs of participants, one of each arm, through the service as somebody blinded, and try to tell the arms.

A trial of two arms is randomised in blocks of two, so that each block is a pair. One arm alone has sessions with
the device, what was measured with it on, its deviations and queries. A blinded client reads everything that it may
of each participant. From the bytes, sizes and times of the answers to half of the pairs a classifier learns the
arm; it is judged on the other half. Two leaks that are there on purpose show that the experiment would find one:
the same answers to somebody who is not blinded, and a service that takes longer for one arm.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from workbench.analysis import auc
from workbench.clinic import Client, questions
from workbench.clinic.asking import Question
from workbench.clinic.pages.forms import Assessments
from workbench.clinic.pages.participant import PersonPage, PersonValues
from workbench.study import Study, allocations
from workbench.study.applying import Change
from workbench.study.changes.consents import GiveConsent
from workbench.study.changes.deviations import RecordDeviation
from workbench.study.changes.entering import SaveForm
from workbench.study.changes.grants import GrantRole, RevokeRole
from workbench.study.changes.protocols import AdoptProtocol, AnswerCriterion, Enrol, SetStatus
from workbench.study.changes.queries import OpenQuery
from workbench.study.changes.randomising import MakeList, Randomise
from workbench.study.changes.visits import HoldVisit, SetAnchor
from workbench.study.keys import VARIABLE
from workbench.vocabulary import Assessment, Condition, Participant, Run, Session

Progress = Callable[[int], object]
SECRET = "stress concealment"
DAY = "2026-03-01"
DEVICE, CONTROL = "device", "usual"
PAIRS_OF_A_STUDY, AT_ONCE = 100, 3
CONTROL_PAIRS = 200
"""Pairs of each planted leak; a leak needs few to be found."""
LEAK_S = 0.004
"""By which the service of the planted leak takes longer for one arm, s."""
TREES = 200
RESAMPLES = 2000
MOST_AUC = 0.55
"""Upper limit of the interval at full size."""
BINS = 512
"""Into which pairs of neighbouring bytes are counted."""
DEFINITION: dict[str, Any] = {
    "study": {
        "code": "CONCEAL", "title": "Concealment", "version": "1.0.0", "sponsor": "nobody",
        "jurisdictions": ["EU"], "effective_from": DAY,
    },
    "arm": [{"name": DEVICE, "title": "Device"}, {"name": CONTROL, "title": "Usual care"}],
    "randomisation": {
        "kind": "blocks", "ratio": {DEVICE: 1, CONTROL: 1}, "blocks": [2], "slots": 2 * PAIRS_OF_A_STUDY,
    },
    "criterion": [{"id": "I1", "text": "Is simulated.", "kind": "inclusion", "origin": "trial"}],
    "consent": {
        "purposes": {"required": ["participation"], "optional": []}, "document_version": "1",
        "document_sha256": "0" * 64,
    },
    "visit": [
        {"name": "Screening", "anchor": "consent", "day": 0, "earliest": 0, "latest": 7, "forms": ["count"]},
        {"name": "Week 4", "anchor": "randomisation", "day": 28, "earliest": 21, "latest": 35, "forms": ["count"]},
    ],
    "form": [
        {"name": "count", "title": "Count", "items": [
            {"name": "n", "label": "Number", "kind": "integer", "in_range_query": {"low": 0, "high": 5}},
        ]},
    ],
}  # fmt: skip
"""The protocol of the trial; what is asked of both arms is the same."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was heard of one participant.

    Attributes
    ----------
    pair : its number.
    device : whether the participant is in the arm with the device.
    contents : of the answers, without what fills them up.
    sizes : of the answers as they came, bytes.
    seconds : that each took.
    """

    pair: int
    device: bool
    contents: tuple[bytes, ...]
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """How well the arms were told apart on pairs that nothing was learned from: AUC with its 95 % interval."""

    what: str
    pairs: int
    value: float
    low: float
    high: float

    def text(self) -> str:
        """One line."""
        return f"{self.what}: {self.pairs} pairs, AUC {self.value:.3f} (95 % CI {self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class ConcealmentFigures:
    """Figures of the experiment.

    Attributes
    ----------
    blinded : what somebody blinded can tell.
    sizes : different sizes of an answer to somebody blinded.
    leaks : the same experiment with leaks on purpose.
    seed : of the trial.
    """

    blinded: Judged
    sizes: tuple[int, ...]
    leaks: tuple[Judged, ...]
    seed: int

    @property
    def passed(self) -> bool:
        """The interval holds .5, at full size its upper limit is at most .55, and every planted leak was found."""
        held = self.blinded.low <= 0.5 <= self.blinded.high
        narrow = self.blinded.pairs < 1000 or self.blinded.high <= MOST_AUC
        return held and narrow and all(leak.low > MOST_AUC for leak in self.leaks)

    def text(self) -> str:
        """The figures as text, one line each."""
        lines = [
            self.blinded.text(), f"sizes of answers to somebody blinded: {', '.join(map(str, self.sizes))} bytes",
            *(leak.text() for leak in self.leaks),
            "learned on the other half: randomised trees on sizes and times, and on counts of neighbouring bytes; "
            f"intervals by bootstrap over pairs, {RESAMPLES} resamples",
            f"seed: {self.seed}",
        ]  # fmt: skip
        return "\n".join(lines)


def concealed(n: int, seed: int, *, step: Progress = lambda pairs: None) -> ConcealmentFigures:
    """The experiment with ``n`` pairs.

    Parameters
    ----------
    n : pairs that somebody blinded reads.
    seed : of order and values.
    step : told how many pairs were read.
    """
    few = min(n, CONTROL_PAIRS)
    blinded = read(n, seed, step=step)
    sizes = tuple(sorted({size for one in blinded for size in one.sizes}))
    leaks = (
        judge(
            "leak on purpose, content: answers to somebody who is not blinded", read(few, seed + 1, login="doctor")
        ),
        judge(
            f"leak on purpose, time: no ticks, {1000 * LEAK_S:g} ms longer for one arm",
            [_times_alone(one) for one in read(few, seed + 2, leak=True)],
        ),
    )
    return ConcealmentFigures(judge("somebody blinded", blinded), sizes, leaks, seed)


def read(
    n: int, seed: int, *, login: str = "blind", leak: bool = False, step: Progress = lambda pairs: None
) -> list[Reading]:
    """Everything that somebody may hear of each participant of ``n`` pairs, in trials of at most 100 pairs.

    Parameters
    ----------
    n : pairs.
    seed : of order and values.
    login : who asks: ``"blind"`` or ``"doctor"``.
    leak : ask a service that takes longer for one arm.
    step : told how many pairs were read.
    """
    trials = [
        (first, min(PAIRS_OF_A_STUDY, n - first), f"{seed} {first}", login, leak)
        for first in range(0, n, PAIRS_OF_A_STUDY)
    ]
    if len(trials) == 1:
        return _of_trial(*trials[0])
    # The service waits for its ticks most of the time, so that a few trials at once take no longer each.
    with ProcessPoolExecutor(AT_ONCE, mp_context=get_context("spawn")) as workers:
        found = list[Reading]()
        for heard in workers.map(_of_trial, *zip(*trials, strict=True)):
            found += heard
            step(len(heard) // 2)
    return found


def _of_trial(first: int, pairs: int, seed: str, login: str, leak: bool) -> list[Reading]:  # noqa: FBT001
    """Everything that somebody may hear in one trial, whose pairs are counted from ``first``."""
    chance, found = random.Random(seed), list[Reading]()
    with TemporaryDirectory(prefix="workbench-concealment-") as home, _keys_in(Path(home) / "keys"):
        folder = Path(home) / "study"
        arms = make_trial(folder, pairs, chance)
        with _served(folder, Path(home) / "socket", leak=leak) as address, _Watching(address) as client:
            client.sign_in(login, SECRET)
            for number, pair in enumerate(arms):
                members = list(pair.items())
                # Who is asked for first must not tell the arm either.
                chance.shuffle(members)
                found += [_heard(client, first + number, person, arm) for person, arm in members]
    return found


# ------------------------------------------------------------------------------------ the trial
def make_trial(folder: Path, pairs: int, chance: random.Random) -> list[Mapping[str, str]]:
    """A trial whose arms differ in everything that may differ. Returns the arm by participant, for each pair.

    Parameters
    ----------
    folder : of the study, which is made for its owner alone.
    pairs : at most 100.
    chance : for order and values.
    """
    with Study.create(folder, code="CONCEAL", title="Concealment", actor="stress test") as study:
        folder.chmod(0o700)
        doctor, statistician = _people(study)
        study.apply(
            AdoptProtocol(DEFINITION), [study.sign_in(one, SECRET).confirm(SECRET) for one in ("doctor", "he")]
        )
        study.apply(MakeList("1.0.0"), statistician, "before the first participant")
        persons = [study.append(Participant(f"C-{number:03d}")) for number in range(2 * pairs)]
        steps: list[Change] = []
        for number, person in enumerate(persons):
            steps += [
                Enrol(person, f"S-{number:03d}"), GiveConsent(person, ("participation",), "1", DAY),
                SetAnchor(person, "consent", DAY), AnswerCriterion(person, "I1", "yes", "file"),
                SetStatus(person, "enrolled"),
            ]  # fmt: skip
        _all(study, steps, doctor)
        for person in persons:
            study.apply(Randomise(person, {}), doctor)
        arms = {person: allocations.arm_of(study, person, statistician, "stress test") for person in persons}
        blocks = [persons[first : first + 2] for first in range(0, len(persons), 2)]
        _outcomes(study, blocks, doctor, chance)
        for person in _shuffled(persons, chance):
            if arms[person] == DEVICE:
                _with_device(study, person, doctor)
        return [{person: arms[person] for person in block} for block in blocks]


def _people(study: Study) -> tuple[Any, Any]:
    for login, role in (("doctor", "investigator"), ("he", "data_manager")):
        study.add_person(login, login, SECRET, (role,))
    manager = study.sign_in("he", SECRET)
    for login, role in (("blind", "assessor"), ("stat", "statistician")):
        person = study.add_person(login, login, SECRET, ("monitor",))
        study.apply(GrantRole(person, role, "GCP", blinded=login == "blind"), manager, "stress test")
        study.apply(RevokeRole(person, "monitor"), manager, "stress test")
    return study.sign_in("doctor", SECRET), study.sign_in("stat", SECRET)


def _outcomes(study: Study, blocks: Sequence[Sequence[str]], doctor: Any, chance: random.Random) -> None:
    """Visits held and forms entered; both of a pair have the same values, in any order."""
    steps, held = list[Change](), list[str]()
    values = [chance.randint(0, 9) for _ in blocks]
    both = [(person, value) for block, value in zip(blocks, values, strict=True) for person in block]
    for person, value in _shuffled(both, chance):
        visit = str(study.rows("visit", participant_id=person, name="Screening")[0]["id"])
        steps += [HoldVisit(visit, DAY), SaveForm(visit, "count", {"n": value})]
        held.append(visit)
    _all(study, steps, doctor)
    for visit in held:
        study.append(_assessed(visit, with_device=False))


def _with_device(study: Study, person: str, doctor: Any) -> None:
    """What only the arm with the device brings."""
    visit = str(study.rows("visit", participant_id=person, name="Week 4")[0]["id"])
    for number in range(2):
        session = study.append(Session(visit, "stress test", started=f"{DAY}T0{number + 8}:00:00Z", plan={}))
        study.append_run(Run(session, 1, "online", "grasp_rest", "finished", id=f"run-{person[-12:]}-{number}"))
    row = study.append(_assessed(visit, with_device=True))
    steps: list[Change] = [
        OpenQuery("assessment", row, "items", "so good with the device?"),
        RecordDeviation(person, "limit", "the limit of the stimulation was overridden"),
    ]
    _all(study, steps, doctor)


def _assessed(visit: str, *, with_device: bool) -> Assessment:
    condition = Condition(assisted=with_device, device_on=with_device, stimulation_on=False)
    items, score = {"grasp_1": 3 if with_device else 1}, {"status": "incomplete"}
    return Assessment(visit, "arat", "1981", condition, items, score, "stress test", side="right")


def _all(study: Study, changes: Sequence[Change], signer: Any) -> None:
    refused = [said for said in study.apply_all(changes, signer, "stress test") if said]
    assert not refused, refused


def _shuffled(items: Sequence[Any], chance: random.Random) -> list[Any]:
    return chance.sample(list(items), len(items))


# ------------------------------------------------------------------------------------ the service and who asks
@contextmanager
def _keys_in(folder: Path) -> Iterator[None]:
    """Keys and secrets of the trial in a folder of its own."""
    before = os.environ.get(VARIABLE)
    folder.mkdir(mode=0o700)
    os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before


@contextmanager
def _served(folder: Path, address: Path, *, leak: bool) -> Iterator[Path]:
    module = ["workbench.stress.concealment"] if leak else ["workbench", "serve"]
    command = [sys.executable, "-m", *module, str(folder), "--socket", str(address)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield address
        finally:
            process.terminate()


class _Watching(Client):
    """A client that keeps what came of its newest request, and how long that took."""

    size, content, seconds = 0, b"", 0.0

    def __enter__(self) -> _Watching:
        """The client itself."""
        return self

    def _exchange(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        began = time.perf_counter()
        data = super()._exchange(path, body, headers)
        self.seconds = time.perf_counter() - began
        self.size, self.content = len(data), data.rstrip()
        return data


def _heard(client: _Watching, pair: int, person: str, arm: str) -> Reading:
    """Everything that may be asked of a participant."""
    heard = list[tuple[bytes, int, float]]()

    def ask(question: Question) -> Any:
        answer = client.ask(question)
        heard.append((client.content, client.size, client.seconds))
        return answer

    page = ask(questions.Participant(person))
    visit = next(one for one in page["visits"] if one["name"] == "Screening")
    (row,) = ask(questions.FormToEnter(visit["id"], "count"))["entries"]
    ask(questions.History("form", row["id"]))
    ask(questions.History("enrolment", page["enrolment"]["id"]))
    # What the screens of a page ask of the same participant.
    ask(PersonPage(person))
    ask(PersonValues(person, "form", row["id"]))
    ask(Assessments(visit["id"], "arat"))
    contents, sizes, seconds = zip(*heard, strict=True)
    return Reading(pair, arm == DEVICE, contents, sizes, seconds)


def _times_alone(reading: Reading) -> Reading:
    return Reading(reading.pair, reading.device, (), (), reading.seconds)


# ------------------------------------------------------------------------------------ telling the arms
def features(reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """What is learned from: sizes, lengths and times of the answers; and counts of neighbouring bytes in them."""
    numbers = [*reading.sizes, *map(len, reading.contents), *reading.seconds, sum(reading.seconds)]
    counts = np.zeros(BINS)
    for content in reading.contents:
        data = np.frombuffer(content, dtype=np.uint8).astype(np.int64)
        counts += np.bincount((257 * data[:-1] + data[1:]) % BINS, minlength=BINS)
    return np.asarray(numbers, dtype=float), counts


def judge(what: str, readings: Sequence[Reading]) -> Judged:
    """Learn the arms on every other pair and tell them on the rest.

    Parameters
    ----------
    what : names the experiment.
    readings : two of each pair.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    device = np.array([one.device for one in readings])
    pair = np.array([one.pair for one in readings])
    learn = pair % 2 == 0
    evidence = np.zeros(int((~learn).sum()))
    # Two of them, so that one number that tells the arm is not lost among hundreds that do not.
    for table in map(np.array, zip(*map(features, readings), strict=True)):
        model = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=0).fit(table[learn], device[learn])
        evidence += model.predict_proba(table[~learn])[:, 1]
    low, high = _interval(evidence, device[~learn], pair[~learn])
    value = auc(evidence, device[~learn]).value
    return Judged(what, len(set(pair.tolist())), value, low, high)


def _interval(evidence: np.ndarray, device: np.ndarray, pair: np.ndarray) -> tuple[float, float]:
    """95 % interval of the AUC by bootstrap over pairs, of which both are drawn or none."""
    chance = np.random.default_rng(0)
    order = np.lexsort((device, pair))
    # One row a pair: evidence of the one without the device, then of the one with it.
    both = evidence[order].reshape(-1, 2)
    values = []
    for _ in range(RESAMPLES):
        drawn = both[chance.integers(len(both), size=len(both))]
        ranks = _ranks(np.concatenate([drawn[:, 1], drawn[:, 0]]))
        n = len(drawn)
        values.append((ranks[:n].sum() - n * (n + 1) / 2) / n**2)
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: np.ndarray = (last - (counts - 1) / 2)[place]
    return mean


def _leaky() -> int:
    """``workbench serve`` with a leak on purpose: answers at once, and later for those who have sessions."""
    from workbench.clinic import service

    honest = service._answer

    def slow(study: Study, question: Any, reader: Any) -> Any:
        person = getattr(question, "participant_id", "")
        visits = {row["id"] for row in study.rows("visit", participant_id=person)} if person else set()
        if visits & {row["visit_id"] for row in study.rows("session")}:
            time.sleep(LEAK_S)
        return honest(study, question, reader)

    service._answer = slow
    service.TICK_S = 1e-6
    folder, _option, address = sys.argv[1:]
    asyncio.run(service.Service(Path(folder), Path(address)).serve(lambda _: os.write(1, b"serving\n")))
    return 0


if __name__ == "__main__":
    sys.exit(_leaky())
