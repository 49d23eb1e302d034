"""From a set-up on the screen to the plan of a session with hardware, without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import control, decoders, devices, systems
from workbench.conformance import Check
from workbench.conformance.certificate import made as certificate
from workbench.dashboard import SessionPage, SetupService, VisitService, set_up
from workbench.errors import Refused
from workbench.hardware import Discovery, FoundStream, Measurement, Setup, certificates
from workbench.messages import translate
from workbench.study import Study
from workbench.study.changes import GiveConsent, WithdrawConsent
from workbench.vocabulary import Montage, Participant, Visit

PASSWORD = "a long enough password"
AMP = FoundStream("amp", "ECoG", "amp-1", "amp-pc", 500.0, n_channels=8, units=("microvolts",) * 8, uid="u1")
SIMULATED = systems.simulate(systems.load("neo_hand"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study with a person, whose consent the record holds, and one whose it does not."""
    made = tmp_path / "study"
    with Study.create(made, code="WARD", title="Ward", actor="test") as study:
        study.add_person("lin", "Lin Q.", PASSWORD, roles=("operator",))
        study.add_person("okafor", "Dr Okafor A.", PASSWORD, roles=("investigator",))
        for name, consent in (("P-041", ""), ("P-042", "2.1")):
            study.append(Visit(study.append(Participant(name, consent=consent)), "Month 1"))
    return made


def heard(streams: Any, _labels: Any, *, peers: Any, n_lost: int = 0) -> list[Measurement]:
    """What sound streams deliver, but for lost samples."""
    at = "2026-11-22T09:00:00+00:00"
    return [Measurement(at, n=5000, fs=one.fs, n_lost=n_lost, rms=(14.0,) * one.n_channels) for one in streams]


def made_for(
    folder: Path, *streams: FoundStream, wiring: Mapping[str, Any] | None = None, **more: Any
) -> SetupService:
    ways = {"look": lambda _peers: Discovery(streams), "listen": heard} | dict(wiring or {})
    service = SetupService(folder, SIMULATED.system, who=lambda: "Lin Q.", **ways)
    service.name_peers(["amp-pc"])
    service.look()
    for stream in streams:
        service.assign(stream.uid, "signal")
        service.answer(stream.name, labels=[f"G{k}" for k in range(1, stream.n_channels + 1)], **more)
    return service


def visit_of(study: Study, name: str) -> str:
    (person,) = study.rows("participant", pseudonym=name)
    return str(study.rows("visit", participant_id=person["id"])[0]["id"])


def consents(study: Study, name: str) -> None:
    (person,) = study.rows("participant", pseudonym=name)
    given = GiveConsent(person["id"], ("participation",), "1.0", "2026-03-01")
    study.apply(given, study.sign_in("okafor", PASSWORD))


def test_a_saved_set_up_becomes_the_plan_of_a_session_with_everything_that_was_answered(folder: Path) -> None:
    service = made_for(folder, AMP, left_out=["G8"], reference="mastoid")
    service.attach_effector(real=True)
    service.keep()
    with Study.open(folder, actor="Lin Q.") as study:
        consents(study, "P-041")
        plan = service.new_session(study, visit=visit_of(study, "P-041"), operator="Lin Q.")
        stored = study.get("session", plan.session_id)
    assert (plan.signal.name, plan.signal.source_id, plan.signal.fs) == ("amp", "amp-1", 500.0)
    assert plan.signal.measured == tuple(f"G{k}" for k in range(1, 8))
    assert (plan.peers, plan.players, plan.effector_simulated, plan.speed) == (("amp-pc",), (), False, 1.0)
    assert not plan.simulated
    assert not plan.script_present
    assert (plan.consent, plan.consent_missing) == ("1.0", False)
    assert service.saved is not None
    assert stored["plan"]["setup"]["sha256"] == plan.setup["sha256"] == service.saved.sha256
    assert Setup.of(stored["plan"]["setup"]).connected("signal").reference == "mastoid"


def test_a_consent_that_the_record_holds_goes_into_the_plan_and_a_simulated_effector_is_played(
    folder: Path,
) -> None:
    service = made_for(folder, AMP)
    service.keep()
    with Study.open(folder, actor="Lin Q.") as study:
        plan = service.new_session(study, visit=visit_of(study, "P-042"), operator="Lin Q.")
    assert (plan.consent, plan.consent_missing) == ("2.1", False)
    assert [player["device"] for player in plan.players] == ["simulated_glove"]


def test_no_hardware_is_connected_to_a_person_whose_consent_the_record_does_not_hold(folder: Path) -> None:
    service = made_for(folder, AMP)
    service.keep()
    with Study.open(folder, actor="Lin Q.") as study:
        visit = visit_of(study, "P-041")
        before = study.head()
        with pytest.raises(
            Refused, match=r"consent of P-041, and the record holds none; .* GiveConsent"
        ) as refused:
            service.new_session(study, visit=visit, operator="Lin Q.")
        assert study.head() == before
        consents(study, "P-041")
        assert service.new_session(study, visit=visit, operator="Lin Q.").consent == "1.0"
        (person,) = study.rows("participant", pseudonym="P-041")
        study.apply(
            WithdrawConsent(person["id"], ("participation",), "2026-03-02"), study.sign_in("okafor", PASSWORD)
        )
        with pytest.raises(Refused, match="consent of P-041"):
            service.new_session(study, visit=visit, operator="Lin Q.")
        simulated = study.append(Visit(study.append(Participant("SIM-01", simulated=True)), "Month 1"))
        assert service.new_session(study, visit=simulated, operator="Lin Q.").participant == "SIM-01"
    assert "P-041 的知情同意记录" in translate(refused.value.args[0], language="zh-CN")


def test_the_set_up_in_a_notebook_names_the_consent_that_is_missing_before_its_start(folder: Path) -> None:
    made_for(folder, AMP).keep()
    with Study.open(folder, actor="Lin Q.") as study:
        visit = visit_of(study, "P-041")
        assert "recorded consent of P-041" in str(set_up(study, SIMULATED.system, visit=visit)._blocked())
        consents(study, "P-041")
        assert set_up(study, SIMULATED.system, visit=visit)._blocked() is None


def test_no_session_starts_before_the_set_up_is_saved_and_compared_with_the_streams_of_today(folder: Path) -> None:
    service = made_for(folder, AMP)
    assert "no set-up of the site main is saved" in str(service.refusal())
    service.keep()
    assert service.refusal() is None
    service.answer("amp", ground="Fpz")
    assert "is not saved as it stands" in str(service.refusal())
    later = SetupService(folder, SIMULATED.system, who=lambda: "Lin Q.", look=lambda _peers: Discovery(()))
    assert "was not compared with the streams of today" in str(later.refusal())
    later.look()
    assert "'amp' is not there now" in str(later.refusal())
    with Study.open(folder, actor="Lin Q.") as study, pytest.raises(Refused, match="is not there now"):
        later.new_session(study, visit=visit_of(study, "P-041"), operator="Lin Q.")


def test_pairing_from_the_screen_gives_the_device_the_same_key(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = made_for(folder, AMP)
    assert service.state()["device"]["pairing"] == {}
    service.pair()
    shown = service.state()["device"]["pairing"]
    assert shown["command"] == f"workbench pair device {devices.pairing_name(folder, 'glove')} glove"
    here = devices.pairing(folder, "glove")
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys of the device"))
    there = devices.pair_by_code(devices.pairing_name(folder, "glove"), "glove", shown["code"])
    assert there.link_id == shown["link"] == here.link_id
    assert there.path != here.path
    service.keep()
    assert service.state()["device"]["pairing"] == {}


def test_a_device_answers_when_the_status_of_its_own_pairing_was_seen(folder: Path) -> None:
    status = devices.pairing(folder, "glove").source_id("status")
    for seen, answers in (((), False), (("wb-status-0123",), False), ((status,), True)):
        found = Discovery((AMP,), effectors=seen)
        service = SetupService(folder, SIMULATED.system, who=lambda: "", look=lambda _peers, found=found: found)
        service.look()
        assert service.state()["device"]["answers"] is answers


def test_a_participant_who_is_not_simulated_waits_for_the_set_up_and_nobody_else_does(folder: Path) -> None:
    service = VisitService(folder, SIMULATED, operator="Chen L.")
    service.hardware = made_for(folder, AMP)
    service.sign_in(login="lin", password=PASSWORD)
    with service.record() as study:
        visit = visit_of(study, "P-041")
        simulated = study.append(Visit(study.append(Participant("SIM-01", simulated=True)), "Month 1"))
    details = service.details(visit)
    assert details["blocked"]["key"] == "worklist.blocked.consent"
    assert {"name": "consent", "key": "worklist.no_consent", "args": {}} in details["facts"]
    rows = {row["participant"]: row for row in service.worklist()["rows"]}
    assert (rows["P-041"]["state"], rows["P-042"]["state"]) == ("check", "ready")
    assert {"state": "medium", "key": "worklist.open.no_consent", "args": {}} in rows["P-041"]["open"]
    with service.record() as study:
        consents(study, "P-041")
    assert "no set-up of the site main" in service.details(visit)["blocked"]["text"]
    assert service.details(simulated)["blocked"] is None
    service.hardware.attach_effector(real=True)
    service.hardware.keep()
    details = service.details(visit)
    assert details["blocked"] is None
    assert {"name": "effector", "key": "worklist.effector_real", "args": {"name": "glove"}} in details["facts"]
    consent = {"name": "consent", "key": "worklist.consent", "args": {"version": "1.0", "date": "2026-03-01"}}
    assert consent in details["facts"]


def test_the_set_up_of_a_page_names_the_consent_that_is_missing_before_its_start(
    folder: Path,
) -> None:
    page = SessionPage(folder, SIMULATED, operator="Chen L.")
    try:
        page._sign_in(login="lin", password=PASSWORD)
        with page.service.record() as study:
            page.worklist.choose(visit_of(study, "P-041"))
        assert "recorded consent of P-041" in str(page.setup._blocked())
        with page.service.record() as study:
            consents(study, "P-041")
        assert "code" in str(page.setup._blocked())  # what is missing now is the code of the participant
    finally:
        page.screen.close()
        page.log.close()


def test_a_page_shows_the_set_up_and_starts_nothing_without_a_confirmed_participant(folder: Path) -> None:
    page = SessionPage(folder, SIMULATED, operator="Chen L.")
    try:
        page.show("setup")
        assert "setup" in page.screen.place["views"]
        assert page.setup.setup["start"]["shown"]
        reply = page.setup.answer("start", {})
        assert "no set-up of the site main is saved" in reply["text"]
    finally:
        page.screen.close()
        page.log.close()


def test_a_waived_check_stands_in_the_plan_with_reason_and_name(folder: Path) -> None:
    service = made_for(folder, AMP, wiring={"listen": partial(heard, n_lost=5)})
    with pytest.raises(Refused, match="5 of 5005 samples lost"):
        service.keep()
    assert "5 of 5005 samples lost" in service.problems()[0].text
    service.waive_check("amp", "loss", "wireless")
    service.keep()
    with Study.open(folder, actor="Lin Q.") as study:
        consents(study, "P-041")
        plan = service.new_session(study, visit=visit_of(study, "P-041"), operator="Lin Q.")
    ((stream, waiver),) = type(plan).from_json(plan.to_json()).waived_checks
    assert (stream, waiver["check"], waiver["reason"], waiver["by"]) == ("amp", "loss", "wireless", "Lin Q.")
    assert waiver["text"] == "5 of 5005 samples lost, in 0 gaps (by the time stamps)"


def test_the_approved_decoder_is_compared_with_the_signal_that_is_set_up(folder: Path) -> None:
    rng = np.random.default_rng(7)
    decoder = decoders.load("csp_lda")(fs=500.0)
    decoder.fit(rng.normal(0.0, 10.0, (20, 8, 1000)), np.array(["grasp", "rest"] * 10))
    labels = tuple(f"G{k}" for k in range(1, 9))
    sha256 = decoders.save(decoder, folder / "decoders" / "one", montage=Montage(labels, 500.0, "ecog"))
    row: dict[str, Any] = {}
    service = made_for(folder, AMP, wiring={"decoder": lambda: row})
    row.update(sha256=sha256, path="decoders/one")
    assert service.state()["decoder"] == {"hash": sha256[:8], "ok": True, "why": ""}
    service.answer("amp", left_out=["G8"])
    fit = service.state()["decoder"]
    assert not fit["ok"]
    assert "7 channels instead of 8; missing G8" in fit["why"]
    assert "缺少 G8" in translate(fit["why"], language="zh-CN")
    row.update(sha256="00" * 32, path="decoders/gone")
    assert service.state()["decoder"]["ok"] is False


def test_an_effector_that_failed_its_test_of_conformance_starts_no_session_and_a_simulated_one_is_exempt(
    folder: Path,
) -> None:
    service = made_for(folder, AMP)
    service.attach_effector(real=True)
    service.keep()
    with Study.open(folder, actor="Lin Q.") as study:
        consents(study, "P-041")

    def tested(*facts: bool, driver: str = "") -> None:
        checks = [Check("stop", "A STOP is followed", "never", "1.00 s", held=held) for held in facts]
        about = {"effector": "glove", **({"driver": driver} if driver else {})}
        place = certificates.place(folder, "glove")
        place.parent.mkdir(exist_ok=True)
        certificate("effector", "my driver", checks=checks, about=about).save(place)

    def shown() -> tuple[str, str | None]:
        return service.state()["device"]["certificate"]["state"], service.refusal()

    assert shown() == ("none", None)
    tested(True, False)
    state, why = shown()
    assert state == "refused"
    assert "failed its test of conformance" in str(why)
    assert "A STOP is followed" in str(why)
    with Study.open(folder, actor="Lin Q.") as study, pytest.raises(Refused, match="failed its test"):
        service.new_session(study, visit=visit_of(study, "P-041"), operator="Lin Q.")
    tested(True, driver="2.1 ab12")
    assert shown() == ("held", None)
    assert "driver 2.1 ab12" in service.state()["device"]["certificate"]["text"]
    with Study.open(folder, actor="Lin Q.") as study:
        plan = service.new_session(study, visit=visit_of(study, "P-041"), operator="Lin Q.")
    assert plan.certificate["driver"] == "2.1 ab12"
    certificates.place(folder, "glove").write_text("{}")
    assert shown()[0] == "refused"
    service.attach_effector(real=False)
    service.confirm()
    service.keep()
    assert shown() == ("exempt", None)


def test_a_profile_that_asks_for_a_certificate_is_not_used_without_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = replace(control.load("glove"), needs_certificate=True)
    monkeypatch.setattr(control, "load", lambda _name: strict)
    judged = certificates.judge(folder, "glove")
    assert judged["state"] == "refused"
    assert "is used only with a certificate of conformance" in judged["text"]
