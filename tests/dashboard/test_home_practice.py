"""Practice at home with engine, simulated participant and glove: what is learned, and what is left as it was."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from workbench import devices, live, systems
from workbench.dashboard import HomeService
from workbench.errors import Refused
from workbench.runs import grant
from workbench.stress._armed import make_clinic
from workbench.stress.switch import PROTOCOL
from workbench.study import Study, approvals, protocol
from workbench.study.changes.protocols import AdoptProtocol

pytestmark = [pytest.mark.job, pytest.mark.timeout(900)]
BOUNDS = """
[home_use.recalibration]
cues = 20
after_days = 0
alone_days = 30
most_in_a_row = 5
least_accuracy = 0.7
most_worse = 0.2
"""
SPEED = 8.0


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study at home with a decoder that the site approved, made once."""
    folder = tmp_path_factory.mktemp("home") / "study"
    with make_clinic(folder, seed=3).study as study:
        signers = [study.script_signer(name).confirm() for name in ("one", "another")]
        study.apply(AdoptProtocol(protocol.parse(PROTOCOL + BOUNDS, "p.toml").definition()), signers, "tests")
    return folder


@pytest.fixture
def home(made):
    """The page with a connected glove, everybody there and the skin looked at."""
    service = page(made)
    act(service, "connect", "check")
    service.attend()
    act(service, "skin_checked", "ready")
    yield service
    with_end(made)


def page(folder: Path) -> HomeService:
    return HomeService(folder, systems.simulate(systems.load("neo_hand"), seed=3), speed=SPEED)


def with_end(folder: Path) -> None:
    """End the session of a study, however it stands."""
    if live.find(folder):
        client = live.attach(folder)
        client.shutdown()
        client.close()


def seen(service: HomeService) -> dict:
    """What a page shows, which is in view and answers the engine."""
    view = service.look()
    if view["challenge"]:
        service.presence("a" * 32, view["challenge"], visible=True)
    return view


def until(service: HomeService, *screens: str, longest_s: float = 300.0) -> dict:
    """Look until one of the screens is shown."""
    end = time.monotonic() + longest_s
    while time.monotonic() < end:
        view = seen(service)
        if view["screen"] in screens:
            return view
        assert not view["refusal"]
        time.sleep(0.1)
    raise AssertionError(f"{view['screen']} after {longest_s:g} s: {view['refusal']} {view['learned']}")


def act(service: HomeService, name: str, *screens: str) -> dict:
    """Touch an act and wait for what follows."""
    service.touch(name)
    time.sleep(0.3)
    return until(service, *screens)


def used(service: HomeService, place: str = "home") -> dict:
    with service.visits.record() as study:
        person = study.rows("participant")[0]["id"]
        return study.approved_decoder(
            effector="glove", participant_id=person, system=service.visits.system.key, place=place
        )


def decided(service: HomeService) -> list[dict]:
    with service.visits.record() as study:
        return [row for row in study.approvals() if row["method"] == approvals.HOME_RULE]


def test_a_practice_at_home_makes_a_decoder_that_moves_the_glove_at_home_and_somebody_goes_back_from_it(home):
    site = used(home)
    view = home.look()
    assert view["acts"][-1] == "practise"
    view = act(home, "practise", "practise")
    assert view["practice"]["all"] == 20
    client = home._client
    # Whatever is asked: a run in which nothing decides arms nothing, also with a grant for another decoder.
    with pytest.raises(Refused):
        client.arm("tests")
    with Study.open(home.visits.folder, actor="tests") as study:
        status = client.status()
        request = {
            "session_id": status["session"]["id"], "participant": status["session"]["participant"],
            "effector": "glove", "decoder_sha256": site["sha256"], "engine_nonce": status["engine"]["arming"],
        }  # fmt: skip
        stolen = grant.issue(study, request, signer=study.script_signer("tests"))
    seen(home)
    with pytest.raises(Refused, match="No decoder is loaded whose hash is the approved one"):
        client.arm("tests", grant=stolen)
    # The page is loaded again, and the one before lives on: both learn, and one decision is made.
    again = page(home.visits.folder)
    cues = set()
    while (view := seen(home))["screen"] == "practise":
        cues.add(view["practice"]["cue"])
        assert not view["moves"]
        again.look()
        time.sleep(0.1)
    assert {"grasp", "rest"} <= cues
    view = until(home, "ready")
    assert until(again, "check")["learned"] == view["learned"]
    (row,) = decided(home)
    assert view["learned"]["better"], [check for check in row["checks"] if check["state"] != "pass"]
    assert view["learned"]["text"].startswith("Done: the glove now uses what you practised")
    assert view["made_at_home"]
    new = used(home)
    assert new["sha256"] != site["sha256"]
    assert used(home, "clinic")["sha256"] == site["sha256"]
    act(home, "start", "use")
    assert client.status()["decoder"]["sha256"] == new["sha256"]
    assert client.status()["effector"]["state"] != "DISARMED"
    act(home, "finish", "off")
    act(home, "glove_off", "done")
    last = page(home.visits.folder)
    act(last, "connect", "check")
    last.attend()
    act(last, "skin_checked", "ready")
    last.back_to_site()
    assert used(last)["sha256"] == site["sha256"]
    assert not last.look()["made_at_home"]


def fits() -> list[int]:
    """Processes that fit for this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"workbench.runs.fitting" in (path.parent / "cmdline").read_bytes():
                found.append(int(path.parent.name))
    return found


def test_a_practice_that_is_cut_off_anywhere_leaves_the_decoder_of_before(home):
    site, before = used(home), len(decided(home))
    act(home, "practise", "practise")
    view = act(home, "finish", "ready")
    assert view["learned"]["text"].startswith("The glove works as before: ")
    assert view["learned"]["text"].endswith(" of 20 cues were practised.")
    # The page is loaded again in the middle, and then STOP is pressed.
    act(home, "practise", "practise")
    again = page(home.visits.folder)
    assert again.look()["screen"] == "practise"
    again.stop()
    until(again, "stopped")
    end = time.monotonic() + 60.0
    while not (view := again.look())["learned"]["text"] and time.monotonic() < end:
        time.sleep(0.1)
    assert view["learned"]["text"] == "The glove works as before: the practice was stopped."
    again.reset()
    until(again, "check")
    again.attend()
    act(again, "skin_checked", "ready")
    # The fit is killed.
    act(again, "practise", "practise")
    while not (running := fits()):
        again.look()
        time.sleep(0.05)
    os.kill(running[0], signal.SIGKILL)
    view = until(again, "ready")
    assert view["learned"]["text"].startswith("The glove works as before. ")
    # The engine is killed.
    act(again, "practise", "practise")
    folder = again.visits.folder
    os.kill(again._client.pid, signal.SIGKILL)
    assert until(again, "practise")["problem"] in ("", "lost")
    devices.end_device(devices.pairing(folder, "glove"))
    assert len(decided(again)) == before
    assert used(again)["sha256"] == site["sha256"]
    last = page(folder)
    act(last, "connect", "check")
    last.attend()
    act(last, "skin_checked", "ready")
    act(last, "start", "use")
    assert last._client.status()["decoder"]["sha256"] == site["sha256"]
    act(last, "finish", "off")
    assert len(decided(last)) == before
    with last.visits.record() as study:
        assert study.verify(files=False).ok
