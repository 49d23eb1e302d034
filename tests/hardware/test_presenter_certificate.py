"""What a photodiode found of a presenter keeps online runs from starting that depend on its light."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from workbench import paradigms
from workbench.engine import run_start
from workbench.errors import Refused
from workbench.hardware import certificates
from workbench.live.plan import SessionPlan
from workbench.messages import translate
from workbench.vocabulary import StreamSpec

LIGHT = paradigms.from_params("selection", {})
EEG = StreamSpec("eeg", "EEG", 250.0, ("Oz", "POz"), source_id="x")
MARKERS = StreamSpec("psychopy: room 2", "Markers", 0.0, source_id="m", role="markers")
HELD = {"fact": "No frame is late or early", "measured": "0 of 60", "allowed": "0", "held": True, "key": "late"}
FAILED = {**HELD, "measured": "3 of 60", "held": False}


def plan_in(folder, **changes):
    usual = {
        "study_folder": str(folder), "study": "N", "participant": "P-1", "visit": "V1", "session_id": "s",
        "operator": "Lin Q.", "contract": (EEG, MARKERS), "cue_source": "stream",
        "screening": {"answer": "none", "by": "Lin Q.", "utc": "2026-11-23T08:00:00Z"},
    }  # fmt: skip
    return SessionPlan(**(usual | changes))


def keep(folder, *checks, markers=MARKERS.name, **changes):
    """Keep a certificate as the command writes it."""
    path = certificates.place_of_presenter(folder, markers)
    path.parent.mkdir(exist_ok=True)
    about = {"photodiode": "diode", "error_ms": 3.2}
    content = {
        "format": 1, "held": True, "kind": "presenter", "subject": markers, "about": about,
        "checks": list(checks or [HELD]), "made_at": "2026-11-20T09:00:00+00:00",
    }  # fmt: skip
    path.write_text(json.dumps(content | changes))


def refusal(plan, *, kind="online", paradigm=LIGHT):
    try:
        run_start.check_presenter(SimpleNamespace(paradigm=paradigm, kind=kind), plan)
    except Refused as error:
        return error.args[0]
    return ""


def test_a_presenter_that_failed_its_test_is_refused_with_what_was_measured_and_what_to_do(tmp_path):
    keep(tmp_path, HELD, FAILED)
    said = refusal(plan_in(tmp_path))
    for part in ("psychopy: room 2", "2026-11-20", "3 of 60", "allowed 0", "workbench conform presenter --study"):
        assert part in said
    assert translate(said, language="zh-CN") != said


def test_light_further_from_its_markers_than_the_paradigm_allows_is_refused(tmp_path):
    limit = LIGHT.flicker.most_error_ms
    assert limit == pytest.approx(min(10.0, 1000.0 / 7.0 / LIGHT.flicker.fastest_hz))
    keep(tmp_path, about={"error_ms": limit})
    assert refusal(plan_in(tmp_path)) == ""
    keep(tmp_path, about={"error_ms": limit + 0.1})
    assert f"lies up to {limit + 0.1:.1f} ms from its markers" in refusal(plan_in(tmp_path))
    assert f"this paradigm allows {limit:.1f} ms" in refusal(plan_in(tmp_path))
    # One that states no error is none that is allowed.
    keep(tmp_path, about={})
    assert refusal(plan_in(tmp_path))


def test_only_an_online_run_with_light_and_a_person_before_it_depends_on_the_certificate_of_its_own_markers(
    tmp_path,
):
    assert refusal(plan_in(tmp_path)) == ""
    keep(tmp_path, FAILED)
    assert refusal(plan_in(tmp_path), kind="calibration") == ""
    assert refusal(plan_in(tmp_path), paradigm=paradigms.from_params("grasp_rest", {})) == ""
    assert refusal(plan_in(tmp_path, simulated=True)) == ""
    page = plan_in(tmp_path, contract=(EEG,), cue_source="page")
    assert refusal(page) == ""
    keep(tmp_path, FAILED, markers="wb-cues")
    assert "wb-cues" in refusal(page)


@pytest.mark.parametrize(
    "changes", [{"kind": "stream"}, {"checks": []}, {"format": 2}, {"subject": "another"}, {"about": None}]
)
def test_what_is_no_certificate_of_that_presenter_is_refused(tmp_path, changes):
    keep(tmp_path, **changes)
    assert "is no certificate of this presenter" in refusal(plan_in(tmp_path))


def test_streams_of_other_names_never_share_a_certificate(tmp_path):
    names = ("a/b", "a_b", "a%2fb", "a b", "../b")
    places = {certificates.place_of_presenter(tmp_path, name) for name in names}
    assert len(places) == len(names)
    assert {place.parent for place in places} == {tmp_path / "certificates"}


def test_an_online_run_of_a_presenter_that_failed_does_not_start(tmp_path, monkeypatch):
    keep(tmp_path, FAILED)
    request = SimpleNamespace(paradigm=LIGHT, kind="online")
    monkeypatch.setattr(run_start, "parse_run_request", lambda *_, **__: request)
    monkeypatch.setattr(run_start, "require_disk", lambda session: None)

    class Streams(dict):
        signal = SimpleNamespace(spec=EEG)

    session = SimpleNamespace(
        streams=Streams(), runs=SimpleNamespace(run=None), stop_latch=SimpleNamespace(reason=""),
        plan=plan_in(tmp_path),
    )  # fmt: skip
    with pytest.raises(Refused, match="failed its test with a photodiode"):
        run_start.RunStart(session).accept({})
