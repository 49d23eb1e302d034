"""What no client of the workbench sends: one sentence each, and the service goes on."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from tests.clinic.conftest import head_of, visit_of
from tests.clinic.test_service import raw
from workbench import commands
from workbench.clinic import _wire, questions
from workbench.clinic.service import MOST_CONNECTIONS
from workbench.errors import WorkbenchError
from workbench.study.changes import SaveForm

HEAD = b"POST %s HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\n"


def post(path: str, body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return HEAD % path.encode() + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


BAD = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "GET": b"GET /ask?token=x HTTP/1.1\r\nContent-Type: application/json\r\n\r\n",
    "no version": b"POST /ask\r\n\r\n",
    "an address of another computer": b"POST http://elsewhere/ HTTP/1.1\r\nContent-Type: application/json\r\n\r\n",
    "a web page": post("/sign-in", b"{}", b"Origin: https://elsewhere"),
    "a form of a web page": b"POST /sign-in HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    "a header twice": post("/ask", b"{}", b"Content-Length: 3"),
    "a header that is folded": post("/ask", b"{}", b"Authorization: Bearer", b" x"),
    "chunks": HEAD % b"/ask" + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "no length": HEAD % b"/ask" + b"\r\n{}",
    "a negative length": HEAD % b"/ask" + b"Content-Length: -1\r\n\r\n{}",
    "a length in other digits": HEAD % b"/ask" + "Content-Length: ²\r\n\r\n{}".encode("latin-1"),
    "a length beyond all": HEAD % b"/ask" + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "too large": HEAD % b"/ask" + b"Content-Length: %d\r\n\r\n" % (_wire.MOST_REQUEST + 1),
    "lines without end": b"POST /ask HTTP/1.1\r\n" + b"a: b\r\n" * 3000,
    "one long line": b"POST /" + b"a" * 20_000,
    "no JSON": post("/ask", b"question=Worklist"),
    "not UTF-8": post("/ask", b'{"question": "\xff"}'),
    "half a character pair": post("/ask", b'{"question": "\\ud800"}'),
    "no number": post("/ask", b'{"question": NaN}'),
    "a list": post("/ask", b"[]"),
    "too deep": post("/ask", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "deeper than Python goes": post("/ask", b"[" * 200_000),
    "no such address": post("/../../etc/passwd", b"{}"),
    "nobody signed in": post("/ask", b'{"question": "Worklist"}'),
    "a token of nobody": post("/ask", b'{"question": "Worklist"}', b"Authorization: Bearer " + b"A" * 43),
    "a login that is a list": post("/sign-in", b'{"login": [], "password": {}}'),
    "a login too long": post("/sign-in", json.dumps({"login": "a" * 5000, "password": "x"}).encode()),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_request_gets_one_sentence_and_the_service_lives(shared, what):
    answer = raw(shared.socket, BAD[what])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4"), answer[:200]
    said = json.loads(body)["error"]["text"]
    assert len(said) < 600
    assert "\n" not in said
    assert "Traceback" not in said
    assert b"HTTP/1.1 401" in raw(shared.socket, BAD["nobody signed in"])


def rows_where(value):
    return "/ask", {"question": "Rows", "about": {"table": "visit", "where": {"id": value}}}


ASKED = {
    "an unknown question": ("/ask", {"question": "Everything", "about": {}}),
    "a question that is a list": ("/ask", {"question": ["Worklist"], "about": {}}),
    "about nothing": ("/ask", {"question": "Participant", "about": []}),
    "a row of another table": ("/ask", {"question": "History", "about": {"table": "person", "row_id": "x"}}),
    "a path for a table": ("/ask", {"question": "Values", "about": {"table": "../study.db", "row_id": "x"}}),
    "no participant": ("/ask", {"question": "Participant", "about": {"participant_id": "../../x"}}),
    "no day": ("/ask", {"question": "Worklist", "about": {"on": "9999999-01-01"}}),
    "a number of a column": ("/ask", {"question": "Bound", "about": {"targets": [["form", 10**400]]}}),
    "nothing to sign": ("/ask", {"question": "Bound", "about": {"targets": []}}),
    "a mapping to look for": rows_where({"a": 1}),
    "a number that no column holds": rows_where(10**40),
    "an instance that no column holds": ("/ask", {"question": "FormToEnter", "about": {
        "visit_id": "x", "form": "wound", "instance": 10**40}}),
    "an unknown change": ("/apply", {"change": "Change", "fields": {}}),
    "a change of a module": ("/apply", {"change": "__builtins__", "fields": {}}),
    "a field that there is not": ("/apply", {"change": "AddVisit", "fields": {"__class__": "x"}}),
    "a number for a text": (
        "/apply", {"change": "AddVisit", "fields": {"participant_id": 1, "name": "", "on": ""}}
    ),
    "signers that are none": ("/apply", {"change": "Sign", "fields": {}, "signers": "okafor"}),
    "many signers": ("/apply", {"change": "Sign", "fields": {"targets": [], "meaning": "x", "shown": "x"},
                                "signers": [{"login": "wu", "password": "x"}] * 50}),
    "a value that is too large": ("/apply", {"change": "AddVisit", "fields": {
        "participant_id": "x", "name": "x", "on": "y" * 900_000}}),
    "a huge number in a form": ("/apply", {"change": "SaveForm", "fields": {
        "visit_id": "x", "form": "wound", "values": {"state": 10**300}, "row_version": 10**30}}),
}  # fmt: skip


@pytest.fixture(scope="module")
def doctor(shared):
    return shared.client("okafor")


@pytest.mark.parametrize("what", ASKED)
def test_nonsense_of_somebody_who_signed_in_gets_one_sentence_and_writes_nothing(shared, doctor, what):
    path, content = ASKED[what]
    before = head_of(shared.folder)
    headers = (b"Authorization: Bearer " + doctor._token.encode(),)
    answer = raw(shared.socket, post(path, json.dumps(content).encode(), *headers))
    assert answer.startswith(b"HTTP/1.1 4"), answer[:300]
    said = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["text"]
    assert len(said) < 2000
    assert head_of(shared.folder) == before
    assert doctor.ask(questions.WhoAmI())["login"] == "okafor"


def test_who_sends_half_and_closes_the_sending_side_gets_the_sentence(shared):
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(30)
        made.connect(str(shared.socket))
        made.sendall(HEAD % b"/ask" + b"Content-Length: 100\r\n\r\n{")
        made.shutdown(socket.SHUT_WR)
        assert b"request ended before" in made.recv(65536)


def test_who_sends_whole_and_closes_the_sending_side_is_answered(shared):
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(30)
        made.connect(str(shared.socket))
        made.sendall(post("/ask", b"{}"))
        made.shutdown(socket.SHUT_WR)
        assert b"sign in first" in made.recv(65536)


@pytest.mark.job
def test_slow_senders_fill_all_connections_and_still_keep_nobody_out(served):
    """Who has sent half of a request makes room for who sends a whole one."""
    slow = [socket.socket(socket.AF_UNIX) for _ in range(MOST_CONNECTIONS)]
    early = served.client("okafor")
    try:
        for made in slow:
            made.connect(str(served.socket))
            made.sendall(b"POST /ask HT")
        assert served.client("wu").ask(questions.WhoAmI())["login"] == "wu"
        # The first of them, and a client that only waited, were let go; the client connects again by itself.
        slow[0].settimeout(30)
        assert slow[0].recv(12) in (
            b"",
            b"HTTP/1.1 408",
        )  # the latter where all of this took longer than ten seconds
        assert early.ask(questions.WhoAmI())["login"] == "okafor"
    finally:
        for made in slow:
            made.close()


def test_a_request_that_is_begun_and_not_ended_in_time_gets_its_sentence():
    async def begun() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"POST /ask HT")
        await _wire.read(reader, whole_s=0.01)

    with pytest.raises(_wire.TooSlow, match=r"was not here within 0\.01 s"):
        asyncio.run(begun())


def test_a_number_beyond_all_in_a_form_is_one_sentence(shared, doctor):
    visit = visit_of(shared.folder, "Screening")
    for number in (10**300, -(10**30), 1e308):
        with pytest.raises(WorkbenchError):
            doctor.apply(SaveForm(visit, "vitals", {"systolic": number}, row_version=1), "x")
    assert doctor.ask(questions.WhoAmI())["login"] == "okafor"


@pytest.mark.parametrize(
    "arguments",
    [
        ("{folder}/../../etc", "--socket", "x"),
        ("{folder}",),
        ("{folder}", "--socket", "x", "--port", "1234"),
        ("{folder}", "--port", "0"),
        ("{folder}", "--port", "70000"),
        ("{folder}", "--socket", "{folder}/" + 200 * "a"),
        ("{folder}", "--socket", "{folder}/no/such/folder/s"),
        ("{folder}", "--socket", "{folder}/study.db"),
        ("{folder}", "--socket", "x", "--idle", "0"),
    ],
)
def test_a_service_that_cannot_be_heard_is_one_sentence(folder, capsys, arguments):
    code = commands.main(["serve", *(one.format(folder=folder) for one in arguments)])
    said = capsys.readouterr()
    assert (code, said.err.count("\n"), said.out) == (2, 1, ""), said.err
