"""Changes of a trial's data: who may make them, what they leave, what stops them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.study import Study, protocol, schema, verify
from workbench.study.applying import Change, bound_now
from workbench.study.changes import (
    ALL,
    AdoptProtocol,
    AnswerQuery,
    CloseDeviation,
    CloseQuery,
    CodeEvent,
    Freeze,
    GiveConsent,
    GrantRole,
    LockStudy,
    OpenQuery,
    Randomise,
    RecordDeviation,
    RegisterConsentDocument,
    ReviseEvent,
    RevokeRole,
    Sign,
    Unfreeze,
    UnlockStudy,
    WithdrawConsent,
    consents,
    queries,
    signing,
)
from workbench.vocabulary import Note, Participant, Visit

SECRET = "correct horse"
EXAMPLE = protocol.read(Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml").definition()
TODAY = "2026-03-01"


@pytest.fixture
def people(study):
    """A signer for each role, by its name."""
    found = {}
    for role in ("investigator", "data_manager", "statistician", "assessor", "monitor", "operator"):
        study.add_person(role, f"Dr {role}", SECRET, roles=(role,))
        found[role] = study.sign_in(role, SECRET)
    return found


@pytest.fixture
def real(study):
    """Id of a participant who is not simulated."""
    return study.append(Participant("P-041"))


def consent(participant_id, *purposes, **more):
    return GiveConsent(participant_id, purposes or ("participation",), "2.1", TODAY, **more)


def three(people):
    return [people[role].confirm(SECRET) for role in ("statistician", "data_manager", "investigator")]


def left(study):
    """What the record holds, to see that a refused change left nothing."""
    return study.head(), {table: study.count(table) for table in ("consent", "query", "deviation", "signature")}


def test_every_change_says_who_may_make_it():
    for name, kind in ALL.items():
        assert issubclass(kind, Change)
        assert dataclasses.is_dataclass(kind), name
        assert bool(kind.ROLES) != bool(kind.SIGNED_BY), name


def test_a_change_and_all_that_follows_from_it_are_one_transaction_in_the_name_of_who_made_it(study, people, real):
    before = study.head()[0]
    study.apply(consent(real, "participation", "upload"), people["investigator"], "signed at the visit")
    entries = study.entries(after=before)
    assert {entry.actor for entry in entries} == {"Dr investigator"}
    assert [entry.table for entry in entries] == ["consent", "consent", "participant"]
    assert study.get("participant", real)["consent"] == "2.1"
    assert verify(study.folder).ok


def test_who_lacks_the_role_is_refused_with_the_roles_that_it_takes_and_nothing_is_written(study, people, real):
    before = left(study)
    with pytest.raises(Refused, match="GiveConsent is for investigator, coordinator; Dr monitor is monitor"):
        study.apply(consent(real), people["monitor"])
    assert left(study) == before


def test_a_role_that_was_taken_away_after_the_sign_in_counts_at_once(study, people, real):
    person = people["monitor"].person_id
    study.apply(GrantRole(person, "investigator", "GCP 2026-02"), people["data_manager"], "joins the site")
    study.apply(consent(real), people["monitor"])
    study.apply(RevokeRole(person, "investigator"), people["data_manager"], "left the site")
    with pytest.raises(Refused, match="Dr monitor is monitor"):
        study.apply(consent(real), people["monitor"])
    assert [row["action"] for row in study.rows("role_grant", person_id=person)] == ["grant", "revoke"]


def test_what_leaves_something_outside_the_record_is_made_by_itself(study, people):
    with pytest.raises(BadValue, match="Randomise is made by itself"):
        study.apply_all([Randomise(study.ids["participant"], {})], people["investigator"], dry_run=True)


def test_who_no_longer_has_access_changes_nothing(study, people, real):
    from workbench.study.people import set_state

    set_state(study, "investigator", "closed", reason="left")
    with pytest.raises(Refused, match="no access to this study any more"):
        study.apply(consent(real), people["investigator"])


def test_a_role_is_not_granted_twice_and_the_last_one_not_revoked(study, people):
    person = people["monitor"].person_id
    with pytest.raises(Refused, match="monitor was not granted twice"):
        study.apply(GrantRole(person, "monitor", "x"), people["data_manager"], "x")
    with pytest.raises(Refused, match="last role; close the access"):
        study.apply(RevokeRole(person, "monitor"), people["data_manager"], "x")
    with pytest.raises(BadValue, match="roles"):
        study.apply(GrantRole(person, "king", "x"), people["data_manager"], "x")
    with pytest.raises(BadValue, match="reason"):
        study.apply(GrantRole(person, "assessor", "x"), people["data_manager"])


def test_a_script_changes_data_of_simulated_participants_only(study, real):
    script = study.script_signer("demo")
    study.apply(consent(study.ids["participant"]), script, "simulated")
    with pytest.raises(Refused, match="demo is a script"):
        study.apply(consent(real), script)


def test_a_script_stands_in_for_nobody_where_somebody_real_takes_part(study, people, real):
    """Also where a change names no participant: a role, a lock, a signature or the protocol is about them too."""
    script, other = study.script_signer("demo"), study.script_signer("demo 2")
    row = ("participant", real)
    digest = bound_now(study, [row])[1]
    later = {**EXAMPLE, "study": {**EXAMPLE["study"], "version": "9.0.0"}}
    before = study.head()
    for change, actor in (
        (GrantRole(people["monitor"].person_id, "investigator", "x"), script),
        (Freeze("participant", real), script),
        (Sign((row,), "I reviewed this", digest), script.confirm()),
        (AdoptProtocol(later), [script.confirm(), other.confirm()]),
        (AdoptProtocol(later), [people["investigator"].confirm(SECRET), other.confirm()]),
    ):  # fmt: skip
        with pytest.raises(Refused, match="is a script"):
            study.apply(change, actor, "x")
    assert [entry.table for entry in study.entries(after=before[0]) if entry.table != "person"] == []
    study.apply(Freeze("participant", study.ids["participant"]), script, "simulated")


# ------------------------------------------------------------------------------ consent
def test_a_withdrawal_ends_its_purpose_at_once_and_that_of_taking_part_ends_all(study, people, real):
    study.apply(consent(real, *consents.PURPOSES), people["investigator"], "signed")
    study.apply(WithdrawConsent(real, ("upload",), TODAY), people["investigator"])
    assert set(consents.withdrawn(study, "upload")) == {"P-041"}
    assert set(consents.in_force(study.rows("consent", participant_id=real))) == {*consents.PURPOSES} - {"upload"}
    study.apply(WithdrawConsent(real, ("participation",), TODAY), people["investigator"], "telephone call")
    assert consents.in_force(study.rows("consent", participant_id=real)) == {}
    assert study.get("participant", real)["consent"] == ""


def test_what_was_never_granted_cannot_be_withdrawn(study, people, real):
    with pytest.raises(Refused, match="no consent to upload to withdraw; in force: "):
        study.apply(WithdrawConsent(real, ("upload",), TODAY), people["investigator"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (GiveConsent("{id}", (), "1", TODAY), "purposes must be"),
        (GiveConsent("{id}", ("upload", "upload"), "1", TODAY), "each once"),
        (GiveConsent("{id}", ("fun and games",), "1", TODAY), "purposes must be"),
        (GiveConsent("{id}", ("upload",), "", TODAY), "document_version"),
        (GiveConsent("{id}", ("upload",), "2.1", "2999-01-01"), "today or earlier"),
        (GiveConsent("{id}", ("upload",), "2.1", "1.3.2026"), "consented_on"),
        (GiveConsent("{id}", ("upload",), "2.1", TODAY, given_by="neighbour"), "given_by"),
        (GiveConsent("nobody", ("upload",), "2.1", TODAY), "no participant"),
    ],
)
def test_a_wrong_consent_is_one_sentence_and_leaves_nothing(study, people, real, change, why):
    change = dataclasses.replace(change, participant_id=change.participant_id.format(id=real))
    before = left(study)
    with pytest.raises((BadValue, UnknownName), match=why):
        study.apply(change, people["investigator"])
    assert left(study) == before


# ------------------------------------------------------------------------------ queries and deviations
def test_a_query_is_opened_answered_and_closed_and_then_takes_nothing_more(study, people):
    asked = OpenQuery("assessment", study.ids["assessment"], "items", "2 on grasp_1?")
    query = study.apply(asked, people["monitor"])
    study.apply(AnswerQuery(query, "seen twice"), people["assessor"])
    assert queries.state(study.rows("query_event", query_id=query)) == "answered"
    study.apply(CloseQuery(query, "confirmed"), people["data_manager"])
    with pytest.raises(Refused, match="closed; open a new one"):
        study.apply(AnswerQuery(query, "and more"), people["assessor"])
    assert study.get("query", query)["participant_id"] == study.ids["participant"]


def test_a_query_on_a_field_that_there_is_not_is_refused(study, people):
    with pytest.raises(UnknownName, match="mood"):
        study.apply(OpenQuery("assessment", study.ids["assessment"], "mood", "why?"), people["monitor"])


def test_a_deviation_is_closed_once_with_its_impact_and_a_reason(study, people, real):
    change = RecordDeviation(real, "rater", "assessed by somebody who knew the arm")
    deviation = study.apply(change, people["monitor"])
    close = CloseDeviation(deviation, "none on the primary endpoint", "a second rater is on the rota")
    with pytest.raises(BadValue, match="reason"):
        study.apply(close, people["investigator"])
    study.apply(close, people["investigator"], "judged at the weekly meeting")
    with pytest.raises(Refused, match="closed already"):
        study.apply(close, people["investigator"], "again")
    with pytest.raises(BadValue, match="category"):
        study.apply(RecordDeviation(real, "weather", "rain"), people["monitor"])


def test_a_deviation_about_a_table_that_there_is_not_is_refused_in_one_short_sentence(study, people, real):
    with pytest.raises(UnknownName, match="has no table") as caught:
        study.apply(RecordDeviation(real, "other", "came late", table="Ω" * 5000), people["monitor"])
    assert str(caught.value).count("Ω") < 100


def test_a_deviation_is_not_entered_for_somebody_else_than_its_row_is_about(study, people, real):
    change = RecordDeviation(real, "other", "came late", table="visit", row_id=study.ids["visit"])
    before = left(study)
    with pytest.raises(Refused, match="the visit is another participant's"):
        study.apply(change, people["monitor"])
    assert left(study) == before
    study.apply(dataclasses.replace(change, participant_id=study.ids["participant"]), people["monitor"])


@pytest.mark.parametrize("kind", ["no table", "no row", "a long name"])
def test_a_row_that_there_is_not_is_one_short_sentence(study, people, kind):
    table, row_id = {"no table": ("mood", "x"), "no row": ("visit", "x"), "a long name": ("visit", "Ω" * 5000)}[
        kind
    ]
    for change in (
        OpenQuery(table, row_id, "text", "why?"),
        RecordDeviation(study.ids["participant"], "other", "late", table=table, row_id=row_id),
    ):
        with pytest.raises(UnknownName) as refused:
            study.apply(change, people["monitor"])
        assert len(str(refused.value)) < 1500


# ------------------------------------------------------------------------------ signatures
def signed(study, people, target):
    digest = bound_now(study, [target])[1]
    change = Sign((target,), "I reviewed these entries", digest)
    row = study.apply(change, people["investigator"].confirm(SECRET))
    return next(signature for signature in study.rows("signature") if signature["id"] == row)


def test_a_signature_holds_what_was_shown_and_is_stale_once_it_changes(study, people):
    signature = signed(study, people, ("assessment", study.ids["assessment"]))
    assert (signature["signer"], signature["method"]) == ("Dr investigator", "password")
    assert signing.state(study, signature) == "valid"
    study.amend("assessment", study.ids["assessment"], {"rater": "another"}, reason="wrong name")
    assert signing.state(study, signature) == "stale"


def test_a_signature_of_what_was_not_shown_is_refused(study, people):
    target = ("assessment", study.ids["assessment"])
    digest, before = bound_now(study, [target])[1], study.count("signature")
    study.amend("assessment", study.ids["assessment"], {"rater": "another"}, reason="wrong name")
    with pytest.raises(Refused, match="changed meanwhile"):
        study.apply(Sign((target,), "I reviewed", digest), people["investigator"].confirm(SECRET))
    assert study.count("signature") == before


def test_a_signature_takes_a_fresh_confirmation_that_is_used_once(study, people):
    target = ("assessment", study.ids["assessment"])
    change = Sign((target,), "I reviewed", bound_now(study, [target])[1])
    with pytest.raises(Refused, match="fresh signatures"):
        study.apply(change, people["investigator"])
    confirmation = people["investigator"].confirm(SECRET)
    study.apply(change, confirmation)
    with pytest.raises(Refused):
        study.apply(change, confirmation)
    for wrong in (Sign((target,), " ", "0" * 64), Sign((target,), "x", ""), Sign((), "x", "0" * 64)):
        with pytest.raises(BadValue):
            study.apply(wrong, people["investigator"].confirm(SECRET))


def test_a_consent_names_a_document_of_the_protocol_or_of_the_site(study, people, real):
    before = left(study)
    with pytest.raises(
        UnknownName, match="document_version must be one that the protocol or the site has: 1.0, 2.1;"
    ):
        study.apply(GiveConsent(real, ("participation",), "3.0", TODAY), people["investigator"])
    assert left(study) == before
    study.apply(RegisterConsentDocument("3.0", "d" * 64, "zh-CN", "S2"), people["data_manager"])
    study.apply(GiveConsent(real, ("participation",), "3.0", TODAY), people["investigator"])
    assert study.get("participant", real)["consent"] == "3.0"


def test_a_document_is_registered_once_for_a_language_and_site_and_with_its_hash(study, people):
    with pytest.raises(Refused, match="document 2.1 of this language and site is registered already"):
        study.apply(RegisterConsentDocument("2.1", "d" * 64, "zh-CN"), people["data_manager"])
    study.apply(RegisterConsentDocument("2.1", "d" * 64, "en"), people["data_manager"])
    with pytest.raises(BadValue, match="document_sha256"):
        study.apply(RegisterConsentDocument("2.2", "no hash"), people["data_manager"])


def test_a_study_that_knows_no_document_takes_the_version_that_is_named(empty):
    person = empty.append(Participant("SIM-1", simulated=True))
    empty.apply(GiveConsent(person, ("participation",), "7", TODAY), empty.script_signer("Dr B"))
    assert empty.get("participant", person)["consent"] == "7"


# ------------------------------------------------------------------------------ locks
def test_a_frozen_participant_takes_nothing_by_any_route_but_queries_deviations_and_signatures(study, people):
    person, assessment = study.ids["participant"], study.ids["assessment"]
    study.apply(Freeze("participant", person), people["data_manager"], "interim analysis")
    before = study.head()
    for write in (
        lambda: study.amend("assessment", assessment, {"rater": "another"}, reason="x"),
        lambda: study.append(Visit(person, "week 4")),
        lambda: study.append(Note(study.ids["run"], "late", "Dr A")),
        lambda: study.redact("participant", person, {"hold": ""}, reason="x"),
        lambda: study.apply(consent(person), people["investigator"], "x"),
    ):
        with pytest.raises(Refused, match=r"participant was locked by Dr data_manager on .* \(interim analysis\)"):
            write()
    assert study.head() == before
    study.apply(OpenQuery("assessment", assessment, "items", "why?"), people["monitor"])
    study.apply(RecordDeviation(person, "other", "seen late"), people["monitor"])
    signed(study, people, ("assessment", assessment))
    study.append(Participant("P-042"))


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("role_grant", {"blinded": False}),
        ("role_grant", {"role": "statistician"}),
        ("consent", {"action": "granted"}),
        ("query_event", {"action": "closed"}),
        ("deviation", {"state": "closed"}),
        ("lock_event", {"action": "unlock"}),
        ("signature", {"targets": []}),
        ("rule_confirmation", {"rule": "eu.80.other"}),
        ("adverse_event", {"facts": {}}),
        ("adverse_event", {"stopping": {"infections": False}}),
        ("unblinding", {"told": ["somebody"]}),
        ("enrolment", {"status": "completed"}),
    ],
)
def test_a_redaction_takes_texts_and_nothing_that_a_rule_is_computed_from(study, table, changes):
    row = study.rows(table)[0]
    with pytest.raises(RecordFault, match="never change"):
        study.redact(table, row["id"], changes, reason="a name stood there")
    assert study.rows(table)[0] == row


@pytest.mark.parametrize("table", sorted(schema.MAY_BE_REDACTED))
def test_what_a_redaction_may_take_it_takes(study, table):
    row = study.rows(table)[0]
    texts = [name for name in schema.MAY_BE_REDACTED[table] if isinstance(row[name], str)]
    for name in texts:
        study.redact(table, row["id"], {name: "(removed)"}, reason="a name stood there")
    assert all(study.get(table, row["id"])[name] == "(removed)" for name in texts)


def test_every_table_that_changes_fill_says_what_a_redaction_may_take():
    older = {
        "study", "participant", "visit", "session", "run", "trial", "recording", "decoder", "approval", "note",
        "assessment", "ledger", "session_ledger", "report", "person",
    }  # fmt: skip
    assert set(schema.REDACTABLE) - older == set(schema.MAY_BE_REDACTED)
    for table, columns in schema.MAY_BE_REDACTED.items():
        assert set(columns) <= set(schema.metadata.tables[table].columns.keys())


def test_nothing_is_moved_into_what_is_frozen_or_out_of_it(study, people):
    person = study.append(Participant("P-060"))
    visit = study.append(Visit(person, "baseline 2"))
    study.apply(Freeze("participant", person), people["data_manager"], "clean")
    for row, to in ((study.ids["visit"], person), (visit, study.ids["participant"])):
        with pytest.raises(Refused, match="participant was locked"):
            study.amend("visit", row, {"participant_id": to}, reason="wrong person")


def test_a_frozen_row_is_given_back_with_a_reason(study, people):
    assessment = study.ids["assessment"]
    with pytest.raises(BadValue, match="need a reason"):
        study.apply(Freeze("assessment", assessment), people["data_manager"])
    study.apply(Freeze("assessment", assessment), people["data_manager"], "clean")
    with pytest.raises(Refused, match="locked already"):
        study.apply(Freeze("assessment", assessment), people["data_manager"], "clean")
    study.apply(Unfreeze("assessment", assessment), people["data_manager"], "rater's name is wrong")
    study.amend("assessment", assessment, {"rater": "another"}, reason="wrong name")
    with pytest.raises(Refused, match="is not locked"):
        study.apply(Unfreeze("assessment", assessment), people["data_manager"], "x")
    with pytest.raises(BadValue, match="can be frozen"):
        study.apply(Freeze("trial", assessment), people["data_manager"], "x")


def settled(study, people):
    """Code and close what there is of adverse events."""
    for row in study.rows("adverse_event"):
        study.apply(CodeEvent(row["id"], "MedDRA", "28.1", "10040047", "Sepsis"), people["data_manager"])
        closed = ReviseEvent(row["id"], study.entries(after=study.head()[0] - 1)[0].utc, "UTC", state="closed")
        study.apply(closed, people["investigator"], "healed")


def test_a_study_is_locked_by_three_people_once_nothing_is_open_and_unlocked_by_three(study, people):
    assessment = study.ids["assessment"]
    query = study.apply(OpenQuery("assessment", assessment, "items", "why?"), people["monitor"])
    study.amend("assessment", assessment, {"rater": "another"}, reason="wrong name")
    with pytest.raises(Refused, match="2 queries are not closed, 2 assessments and forms have no signature"):
        study.apply(LockStudy(), three(people), "database lock")
    for row in (query, study.ids["query"]):
        study.apply(CloseQuery(row, "fine"), people["data_manager"])
    signed(study, people, ("assessment", assessment))
    with pytest.raises(Refused, match="1 assessments and forms have no signature"):
        study.apply(LockStudy(), three(people), "database lock")
    signed(study, people, ("form", study.rows("form")[0]["id"]))
    with pytest.raises(Refused, match="needs 3 fresh signatures, of data_manager, investigator, statistician"):
        study.apply(LockStudy(), [people["data_manager"].confirm(SECRET)], "database lock")
    with pytest.raises(
        Refused, match="yet: 1 adverse events are not coded, 1 serious adverse events are not closed"
    ):
        study.apply(LockStudy(), three(people), "database lock")
    settled(study, people)
    study.apply(LockStudy(), three(people), "database lock")
    for write in (
        lambda: study.append(Participant("P-050")),
        lambda: study.apply(OpenQuery("assessment", assessment, "items", "why?"), people["monitor"]),
        lambda: study.amend("assessment", assessment, {"rater": "another"}, reason="x"),
    ):
        with pytest.raises(Refused, match="study was locked"):
            write()
    assert verify(study.folder).ok
    study.apply(UnlockStudy(), three(people), "a form was missed")
    study.append(Participant("P-050"))


def test_one_person_cannot_give_all_three_signatures(study, people):
    study.add_person("all", "Dr all", SECRET, roles=("data_manager", "investigator", "statistician"))
    everything = study.sign_in("all", SECRET)
    with pytest.raises(Refused, match="3 different people"):
        study.apply(LockStudy(), [everything.confirm(SECRET) for _ in range(3)], "x")


def test_a_study_that_does_not_verify_is_not_locked(study, people):
    signed(study, people, ("assessment", study.ids["assessment"]))
    (study.folder / "recordings" / "r1.xdf").write_bytes(b"XDF: other!")
    with pytest.raises(Refused, match="does not hold"):
        study.apply(LockStudy(), three(people), "x")


def test_a_stale_version_is_refused_where_the_change_names_one(study, people):
    study.amend("participant", study.ids["participant"], {"ais": "C"}, reason="x")
    with pytest.raises(RecordFault, match="meanwhile"):
        study.amend("participant", study.ids["participant"], {"ais": "D"}, reason="x", row_version=1)


def test_a_study_of_schema_5_has_none_of_this_and_takes_it_once_migrated(tmp_path, monkeypatch):
    import shutil
    from pathlib import Path

    from workbench.study.migrate import migrate

    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    old = Path(__file__).parents[1] / "fixtures" / "studies" / "v5"
    folder = Path(shutil.copytree(old, tmp_path / "study"))
    with Study.open(folder, actor="tests") as study:
        assert "reading only" in study.read_only
        person = study.rows("participant")[0]
        with pytest.raises(RecordFault, match="reading only"):
            study.apply(consent(person["id"]), study.script_signer("tests"))
    migrate(folder, actor="tests")
    with Study.open(folder, actor="tests") as study:
        assert study.rows("participant")[0] == person
        study.apply(consent(person["id"]), study.script_signer("tests"), "x")
    assert verify(folder).ok


# ------------------------------------------------------------------------------ several at once
def test_of_several_changes_all_are_made_or_none(study, people, real):
    good, bad = consent(real, "participation"), consent(real, "participation", given_by="neighbour")
    before = left(study)
    assert study.apply_all([good], people["investigator"], "on paper", dry_run=True) == ("",)
    said = study.apply_all([good, bad], people["investigator"], "on paper")
    assert (said[0], "given_by" in said[1]) == ("", True)
    assert left(study) == before
    assert study.apply_all([good, consent(real, "upload")], people["investigator"], "on paper") == ("", "")
    assert study.count("consent") == before[1]["consent"] + 2
    assert verify(study.folder).ok


def test_several_changes_take_one_signer_with_the_role_and_none_that_must_be_signed(study, people, real):
    with pytest.raises(Refused, match="GiveConsent is for investigator, coordinator; Dr monitor is monitor"):
        study.apply_all([consent(real)], people["monitor"])
    with pytest.raises(Refused, match="LockStudy"):
        study.apply_all([LockStudy()], people["statistician"], "x")


def test_no_refusal_of_a_change_repeats_what_was_typed_at_any_length():
    files = sorted(Path(consents.__file__).parent.glob("*.py"))
    assert len(files) > 20
    assert [path.name for path in files if "repr(self." in path.read_text(encoding="utf-8")] == []
