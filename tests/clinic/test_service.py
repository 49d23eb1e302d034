"""The service of Clinic mode: who may do what, for how long, and what is left of a password."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import typing
from pathlib import Path

import pytest

from tests.clinic.conftest import SECRET, head_of, serving, visit_of
from tests.doors import SteppedClock
from tests.processes import until
from workbench import commands, world
from workbench.clinic import Client, Reader, questions
from workbench.clinic._tokens import Tokens
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.study import Study, verify
from workbench.study.applying import bound_now
from workbench.study.changes import (
    ALL,
    AddVisit,
    GrantRole,
    OpenQuery,
    RevokeRole,
    SaveForm,
    Sign,
    WithdrawConsent,
    from_plain,
    plain,
)
from workbench.study.people import set_state
from workbench.study.record_file import FILE


def participant(client: Client) -> str:
    return next(one["id"] for one in client.ask(questions.Participants()) if one["pseudonym"] == "P-041")


def raw(path: Path, request: bytes) -> bytes:
    """What the service answers to bytes, until it closes."""
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(30)
        made.connect(str(path))
        if request:
            made.sendall(request)
        parts = []
        while part := made.recv(65536):
            parts.append(part)
    return b"".join(parts)


# ------------------------------------------------------------------------------ changes
def test_a_change_is_made_in_the_name_of_whose_token_it_is_and_is_stored_when_it_returns(shared):
    client = shared.client("okafor")
    row = client.apply(AddVisit(participant(client), "extra", "2026-03-01"), "asked for by telephone")
    with Study.open(shared.folder, actor="test") as study:
        assert study.get("visit", row)["name"] == "extra"
        assert study.history("visit", row)[0]["actor"] == "Dr Okafor A."


def test_who_lacks_the_role_is_refused_with_the_sentence_of_desk_mode_and_nothing_is_written(shared):
    client = shared.client("wu")
    person = participant(client)
    before = head_of(shared.folder)
    with pytest.raises(Refused, match="WithdrawConsent is for investigator, coordinator; Wu R. is assessor"):
        client.apply(WithdrawConsent(person, ("participation",), "2026-03-01"), "x")
    assert head_of(shared.folder) == before


def test_an_actor_that_the_client_names_is_refused(shared):
    client = shared.client("wu")
    given = {"change": "AddVisit", "fields": {}, "actor": "Dr Okafor A."}
    with pytest.raises(BadValue, match="no field actor"):
        client._post("/apply", given)


def test_two_clients_that_save_the_same_version_leave_one_row_and_one_sentence(shared):
    visit = visit_of(shared.folder, "Wound check")
    first, second = shared.client("okafor"), shared.client("wu")
    first.apply(SaveForm(visit, "wound", {"state": "closed"}))
    with pytest.raises(RecordFault, match="changed"):
        second.apply(SaveForm(visit, "wound", {"state": "open"}), "seen again")
    (entry,) = second.ask(questions.FormToEnter(visit, "wound"))["entries"]
    second.apply(SaveForm(visit, "wound", {"state": "open"}, row_version=entry["row_version"]), "seen again")
    (entry,) = first.ask(questions.FormToEnter(visit, "wound"))["entries"]
    assert entry["values"] == {"state": "open"}


def test_a_signature_takes_the_password_in_the_request_itself(shared):
    client = shared.client("okafor")
    form = served_form(shared)
    shown = client.ask(questions.Bound((("form", form),)))
    change = Sign((("form", form),), "I reviewed this", shown["sha256"])
    with Study.open(shared.folder, actor="test") as study:
        assert bound_now(study, [("form", form)])[1] == shown["sha256"]
    before = head_of(shared.folder)
    with pytest.raises(Refused, match="fresh signatures"):
        client.apply(change)
    assert head_of(shared.folder) == before
    with pytest.raises(Refused, match="do not match"):
        client.apply(change, signers=[("okafor", "wrong horse")])
    with pytest.raises(Refused, match="signs what is made in their name"):
        client.apply(change, signers=[("he", SECRET)])
    row = client.apply(change, signers=[("okafor", SECRET)])
    with Study.open(shared.folder, actor="test") as study:
        (signature,) = study.rows("signature", id=row)
        assert (signature["signer"], signature["method"]) == ("Dr Okafor A.", "password")
    assert verify(shared.folder).ok


def served_form(served) -> str:
    with Study.open(served.folder, actor="test") as study:
        return str(study.rows("form")[0]["id"])


def sample(hint):
    """A value of a type of a field, and the same as JSON has it."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return parts[-1]
    if origin is tuple:
        return (sample(parts[0]),) if parts[-1] is Ellipsis else tuple(map(sample, parts))
    if parts and type(None) in parts or origin is typing.Union:
        return sample(parts[0])
    if hasattr(hint, "__dataclass_fields__"):
        return hint(
            **{name: sample(kind) for name, kind in typing.get_type_hints(hint).items() if name != "ROLES"}
        )
    return {str: "é", int: 3, float: 2.5, bool: True}.get(hint, {"a": {"missing": "not_done"}})


@pytest.mark.parametrize("name", [*ALL, *questions.QUESTIONS])
def test_every_change_and_question_arrives_as_it_was_sent_and_no_other_type_passes(name):
    kind = {**ALL, **questions.QUESTIONS}[name]
    hints = {field.name: typing.get_type_hints(kind)[field.name] for field in dataclasses.fields(kind)}
    made = kind(**{field: sample(hint) for field, hint in hints.items()})
    sent = json.loads(json.dumps(plain(made)))
    assert from_plain(kind, sent) == made
    for field in hints:
        with pytest.raises(BadValue, match=field):
            from_plain(kind, sent | {field: [[None]]})
    with pytest.raises(UnknownName, match="no field other"):
        from_plain(kind, sent | {"other": 1})


# ------------------------------------------------------------------------------ sites and roles
def test_who_is_limited_to_a_site_sees_and_changes_nobody_of_another_one(shared):
    everybody, north = shared.client("okafor"), shared.client("north")
    person, visit = participant(everybody), visit_of(shared.folder, "Wound check")
    assert north.person["sites"] == ["N"]
    # SIM-01 was not enrolled and has no site yet; P-041 is of another one.
    assert [row["pseudonym"] for row in north.ask(questions.Participants())] == ["SIM-01"]
    assert {row["participant"]["pseudonym"] for row in north.ask(questions.Worklist())} == {"SIM-01"}
    assert north.ask(questions.StudyOverview())["participants"] == []
    form = questions.Values("form", served_form(shared))
    for question in (questions.Participant(person), questions.FormToEnter(visit, "wound"), form):
        with pytest.raises(UnknownName):
            north.ask(question)
    before = head_of(shared.folder)
    with pytest.raises(Refused, match="limited to the sites N"):
        north.apply(SaveForm(visit, "wound", {"state": "closed"}))
    assert head_of(shared.folder) == before


def test_a_role_that_is_taken_away_ends_every_token_of_the_person_at_once(served):
    manager, north = served.client("he"), served.client("north")
    person = north.person["person_id"]
    north.ask(questions.Worklist())
    manager.apply(GrantRole(person, "monitor", "GCP 2026", site="N"), "also monitors")
    with pytest.raises(Refused, match="changed meanwhile; sign in again"):
        north.ask(questions.Worklist())
    north.sign_in("north", SECRET)
    manager.apply(RevokeRole(person, "coordinator"), "left the site")
    with pytest.raises(Refused, match="sign in again"):
        north.apply(AddVisit("x", "extra", "2026-03-01"))
    assert north.sign_in("north", SECRET)["roles"] == ["monitor"]


def test_closing_somebody_by_the_administrator_beside_the_service_ends_the_token(served):
    client = served.client("wu")
    with Study.open(served.folder, actor="admin") as study:
        set_state(study, "wu", "closed", reason="left")
    with pytest.raises(Refused, match="sign in again"):
        client.ask(questions.Worklist())
    with pytest.raises(Refused, match="do not match"):
        client.sign_in("wu", SECRET)


def test_nobody_gives_themselves_a_role_or_takes_the_one_that_blinds_them(shared):
    manager = shared.client("he")
    for change in (
        GrantRole(manager.person["person_id"], "monitor", "x"),
        RevokeRole(manager.person["person_id"], "x"),
    ):
        with pytest.raises(Refused, match="roles of their own"):
            manager.apply(change, "x")


def test_tables_are_read_by_roles_that_may_and_without_ciphertexts_and_hashes(shared):
    monitor, assessor = shared.client("stat"), shared.client("wu")
    answer = monitor.ask(questions.Rows("visit", most=2, first=1))
    assert (len(answer["rows"]), answer["all"] > 2) == (2, True)
    assert "password" not in monitor.ask(questions.Rows("person"))["rows"][0]
    with pytest.raises(Refused, match="Rows is for data_manager"):
        assessor.ask(questions.Rows("visit"))
    for table in questions.NEVER:
        with pytest.raises(Refused, match="read by nobody through the service"):
            monitor.ask(questions.Rows(table))
    with pytest.raises(UnknownName, match="no table"):
        monitor.ask(questions.Rows("../../etc/passwd"))
    with pytest.raises(BadValue, match="1 to 1000 at once"):
        monitor.ask(questions.Rows("visit", most=10**9))
    with pytest.raises(UnknownName, match="no column"):
        monitor.ask(questions.Rows("visit", {"id; DROP TABLE visit": "x"}))


# ------------------------------------------------------------------------------ tokens
def test_a_token_that_was_signed_out_is_good_for_nothing(shared):
    client = shared.client("wu")
    token = client._token
    client.sign_out()
    with pytest.raises(Refused, match="sign in first"):
        client._post("/ask", {"question": "Worklist"}, token=token)
    actions = [
        entry.action for entry in Study.open(shared.folder, actor="test").entries() if entry.table == "person"
    ]
    assert actions[-2:] == ["sign_in", "sign_out"]


def test_a_token_ends_when_it_is_not_used(folder):
    # It ends after 30 ms, sooner than it is asked for again.
    with serving(folder, "--idle", "0.0005") as served:
        client = served.client("wu")

        def ended() -> bool:
            try:
                client.ask(questions.WhoAmI())
            except Refused as error:
                return "sign in again" in str(error) or "sign in first" in str(error)
            return False

        until(ended)
        assert client.sign_in("wu", SECRET)["login"] == "wu"


def test_a_token_ends_idle_and_in_any_case_and_a_person_has_only_so_many():
    clock = SteppedClock()
    reader = Reader("p", "wu", "Wu R.", ("assessor",), False, (), "hash")
    with world.entered(clock=clock):
        tokens = Tokens(idle_s=60.0, longest_s=100.0)
        first = tokens.give(reader, 1)
        for _ in range(2):
            clock.now_s += 45.0
            assert tokens.reader(first, 1) is reader
        clock.now_s += 11.0
        with pytest.raises(Refused, match="sign in again"):
            tokens.reader(first, 1)
        given = [tokens.give(reader, 1) for _ in range(21)]
        assert len({*given}) == 21
        assert min(map(len, given)) * 6 >= 256
        with pytest.raises(Refused):
            tokens.reader(given[0], 1)
        assert tokens.reader(given[1], 1) is reader


def test_a_token_is_kept_as_its_hash_and_shown_nowhere(shared):
    client = shared.client("wu")
    assert client._token not in repr(client) + str(client.person) + str(vars(Tokens()))
    reader = Reader("p", "wu", "Wu R.", ("assessor",), False, (), "$argon2id$hash")
    tokens = Tokens()
    token = tokens.give(reader, 1)
    assert token not in repr(vars(tokens))
    assert "argon2id" not in repr(vars(tokens))


@pytest.mark.job
def test_a_changed_password_ends_what_the_old_one_began(served):
    client, other = served.client("wu"), served.client("wu")
    with pytest.raises(BadValue, match="8 to 1024"):
        client.change_password(SECRET, "short")
    client.change_password(SECRET, "another horse")
    with pytest.raises(Refused, match="sign in"):
        other.ask(questions.Worklist())
    client.sign_in("wu", "another horse")
    assert client.ask(questions.WhoAmI())["login"] == "wu"


# ------------------------------------------------------------------------------ passwords
@pytest.mark.job
def test_fifty_wrong_passwords_are_slowed_and_another_login_still_gets_in(served):
    client = served.client()
    said = []
    for number in range(50):
        with pytest.raises(Refused) as refused:
            client.sign_in("wu", f"wrong horse {number}")
        said.append(str(refused.value))
    assert ["do not match" in one for one in said[:3]] == [True] * 3
    assert sum("too many attempts" in one for one in said) >= 45
    assert served.client("okafor").person["name"] == "Dr Okafor A."
    # The right password has to wait as well: it may be the fifty-first guess.
    with pytest.raises(Refused, match="too many attempts"):
        client.sign_in("wu", SECRET)
    with Study.open(served.folder, actor="test") as study:
        refused = [one.action for one in study.entries()].count("sign_in_refused")
    assert refused == 50 - sum("too many attempts" in one for one in said)


@pytest.mark.job
def test_an_unknown_login_is_answered_as_a_wrong_password_byte_for_byte_also_when_it_has_to_wait(served):
    answers = {}
    for login in ("wu", "nobody-of-this-name"):
        body = json.dumps({"login": login, "password": "wrong horse"}).encode()
        request = (
            b"POST /sign-in HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
        )
        request += b"%d\r\n\r\n%s" % (len(body), body)
        answers[login] = [raw(served.socket, request) for _ in range(3)]
        waits = raw(served.socket, request)
        assert b"429" in waits.splitlines()[0]
        answers[login].append(waits)
    assert answers["wu"] == answers["nobody-of-this-name"]


@pytest.mark.job
def test_a_password_stands_in_no_file_no_output_no_argument_and_no_answer(served):
    canary = "correct horse canary"
    client = served.client("okafor")
    client.change_password(SECRET, canary)
    client.sign_in("okafor", canary)
    form = served_form(served)
    shown = client.ask(questions.Bound((("form", form),)))
    client.apply(Sign((("form", form),), "I reviewed this", shown["sha256"]), signers=[("okafor", canary)])
    for wrong in ({"login": canary, "password": canary}, {"login": 1, "password": canary}, {canary: 1}):
        body = json.dumps(wrong).encode()
        for path in (b"/sign-in", b"/apply", b"/" + canary.replace(" ", "-").encode()):
            head = b"POST %s HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\n" % path
            answer = raw(served.socket, head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            assert answer.startswith(b"HTTP/1.1 4")
            assert b"canary" not in answer
    environment = Path(f"/proc/{served.process.pid}")
    assert b"canary" not in (environment / "cmdline").read_bytes() + (environment / "environ").read_bytes()
    code, out, errors = served.end()
    assert (code, errors) == (0, "")
    assert "canary" not in out
    for path in served.folder.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path.name


# ------------------------------------------------------------------------------ life
@pytest.mark.job
def test_sigterm_answers_what_was_begun_closes_the_record_and_leaves_no_socket(served):
    client = served.client("okafor")
    person, done = participant(client), []
    thread = threading.Thread(
        target=lambda: done.append(client.apply(AddVisit(person, "last", "2026-03-01"), "x"))
    )
    thread.start()
    thread.join()
    code, out, errors = served.end()
    assert (code, errors) == (0, "")
    assert "the record is closed" in out
    assert not served.socket.exists()
    with Study.open(served.folder, actor="test") as study:
        assert study.get("visit", done[0])["name"] == "last"
    assert verify(served.folder).ok


@pytest.mark.job
def test_everything_that_was_acknowledged_survives_a_kill_in_the_middle_of_writes(served):
    person = participant(served.client("okafor"))
    acknowledged: list[str] = []

    def write(client: Client, number: int) -> None:
        try:
            for n in range(10_000):
                acknowledged.append(client.apply(AddVisit(person, f"extra {number} {n}", "2026-03-01"), "x"))
        except RecordFault:
            return

    clients = [served.client("okafor") for _ in range(3)]
    threads = [threading.Thread(target=write, args=(client, n)) for n, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    until(lambda: len(acknowledged) > 30)
    served.end(signal.SIGKILL)
    for thread in threads:
        thread.join()
    with Study.open(served.folder, actor="test") as study:
        assert set(acknowledged) <= {row["id"] for row in study.rows("visit")}
    assert verify(served.folder).ok
    # The socket that the dead service left behind is no obstacle.
    with serving(served.folder) as again:
        again.client("okafor").ask(questions.Worklist())


@pytest.mark.job
def test_a_study_is_served_once_and_not_where_others_may_enter(served, capsys):
    again = ["serve", str(served.folder), "--socket", str(served.folder.parent / "two")]
    assert commands.main(again) == 2
    assert "served by another process" in capsys.readouterr().err
    served.end()
    served.folder.chmod(0o755)
    assert commands.main(again) == 2
    assert "chmod 700" in capsys.readouterr().err


@pytest.mark.job
def test_a_port_of_this_computer_serves_as_well(folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", str(folder), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert f"127.0.0.1:{port}" in process.stdout.readline()
        with Client(port) as client:
            assert client.sign_in("wu", SECRET)["name"] == "Wu R."
    finally:
        process.terminate()
        process.communicate()


# ------------------------------------------------------------------------------ another account
AS_NOBODY = """
import sys
from pathlib import Path
for path in map(Path, sys.argv[1:]):
    try:
        path.open("rb").read(1)
        print("read", path)
    except PermissionError:
        print("refused")
"""


@pytest.mark.job
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("runuser"), reason="needs root and runuser to become nobody"
)
def test_another_account_of_the_computer_reaches_the_socket_and_no_file_behind_it(served, tmp_path_factory):
    stolen = served.client("wu")
    with Study.open(served.folder, actor="test") as study:
        secret = study.rows("rand_list")[0]["id"]
    keys = Path(os.environ["WORKBENCH_KEYS"])
    files = [served.folder / FILE, *keys.glob("*")]
    assert any(secret in path.name for path in files), "the secret of the list is among them"
    for folder in (served.socket.parent, *served.socket.parents):
        if folder != Path("/") and not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    served.socket.chmod(0o666)
    # The interpreter of the tests may lie where nobody may enter.
    python = "/usr/bin/python3"
    command = ["runuser", "-u", "nobody", "--", python, "-c"]
    done = subprocess.run([*command, AS_NOBODY, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["refused"] * len(files), done.stdout + done.stderr
    ask = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "s.sendall(sys.argv[2].encode().decode('unicode_escape').encode()); print(s.makefile().read())"
    )
    request = (
        "POST /ask HTTP/1.1\\r\\nContent-Type: application/json\\r\\nConnection: close\\r\\n"
        f"Authorization: Bearer {stolen._token}\\r\\nContent-Length: 21\\r\\n\\r\\n" + '{"question":"WhoAmI"}'
    )
    done = subprocess.run(
        [*command, ask, str(served.socket), request], capture_output=True, text=True, check=False
    )
    assert "token was given to a process of another account" in done.stdout, done.stdout + done.stderr
    with pytest.raises(Refused, match="sign in first"):
        stolen.ask(questions.WhoAmI())


def test_a_token_of_one_login_does_not_act_for_another(shared):
    doctor, assessor = shared.client("okafor"), shared.client("wu")
    assessor._token = doctor._token
    assert assessor.ask(questions.WhoAmI())["login"] == "okafor"
    row = assessor.apply(OpenQuery("form", served_form(shared), "values", "190?"))
    with Study.open(shared.folder, actor="test") as study:
        assert study.get("query", row)["by"] == "Dr Okafor A."
