"""The engine's door: only fresh, signed requests of this session pass; everything else is refused and logged."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import signal
import stat
import threading
import time

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from tests.live.plans import planned
from workbench import world
from workbench.engine.process import Engine
from workbench.engine.server import WATCHED_S, Server
from workbench.errors import BadValue, EngineFault, Refused
from workbench.live import _engine_folder, _wire
from workbench.live._engine_folder import EngineFolder
from workbench.live._stopfile import watching
from workbench.live.client import Client

KEY = bytes(range(32))


@pytest.fixture(params=["ipc", "tcp"])
def door(request, tmp_path):
    """A server on a study folder, and what it was told to stop for."""
    engine_folder = EngineFolder(tmp_path)
    engine_folder.prepare()
    key = _engine_folder.new_key(engine_folder)
    stops = []
    server = Server(key=key, session="s1", stop_now=stops.append, study=tmp_path, transport=request.param)
    lock = {"session_id": "s1", "pid": 1, "endpoint": server.endpoint, "curve": server.curve}
    yield server, engine_folder, lock, stops
    server.close()


def answering(server, reply):
    """Answer the next request with ``reply``, as the engine's loop does."""

    def once():
        request = server.requests.get(timeout=10)
        request.answer(reply)

    thread = threading.Thread(target=once)
    thread.start()
    return thread


def test_a_signed_request_is_answered(door):
    server, engine_folder, lock, _ = door
    server.publish({"engine": {"state": "idle"}})
    with Client(engine_folder, lock) as client:
        assert client.status()["engine"]["state"] == "idle"
        thread = answering(server, {"ok": True, "value": None})
        client.note("hello")
        thread.join()


def test_a_client_whose_request_a_signal_interrupts_still_closes(door):
    _, engine_folder, lock, _ = door

    class Interrupted(BaseException):
        """What a handler of another library raises: no error, and no Ctrl+C."""

    def interrupt(_number, _frame):
        raise Interrupted

    _engine_folder.take_lock(engine_folder, {"session_id": "s1"})
    before = signal.signal(signal.SIGUSR1, interrupt)
    client = Client(engine_folder, lock)
    asking = threading.get_ident()
    alarm = threading.Timer(0.5, lambda: signal.pthread_kill(asking, signal.SIGUSR1))
    alarm.start()
    try:
        with pytest.raises(Interrupted):
            client._ask("note", patience_s=60.0, text="nobody answers")
    finally:
        alarm.join()
        signal.signal(signal.SIGUSR1, before)
    closing = threading.Thread(target=client.close, daemon=True)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()


def test_a_status_becomes_a_text_only_when_somebody_asks(door):
    server, engine_folder, lock, _ = door
    # What no text can hold: it is in the way only of whoever asks for it.
    server.publish({"engine": {"state": object()}})
    with Client(engine_folder, lock) as client:
        for state in ("starting", "idle"):
            server.publish({"engine": {"state": state}})
            assert [client.status()["engine"]["state"] for _ in range(2)] == [state] * 2


def test_a_door_is_watched_from_the_first_look_at_the_status_until_nobody_has_looked_for_a_while(
    door, monkeypatch
):
    server, engine_folder, lock, _ = door
    assert not server.watched
    with Client(engine_folder, lock) as client:
        client.status()
    assert server.watched
    now = world.clock.monotonic()
    monkeypatch.setattr(world.clock, "monotonic", lambda: now + WATCHED_S + 1.0)
    assert not server.watched


def test_a_refusal_arrives_under_its_own_class(door):
    server, engine_folder, lock, _ = door
    with Client(engine_folder, lock) as client:
        thread = answering(server, _wire.refusal(Refused("arming is not possible")))
        with pytest.raises(Refused, match="arming is not possible"):
            client.arm()
        thread.join()


def test_stop_is_carried_out_before_the_loop_comes_by(door):
    server, engine_folder, lock, stops = door
    with Client(engine_folder, lock) as client:
        thread = threading.Thread(target=client.stop, args=("hand pinched",))
        thread.start()
        request = server.requests.get(timeout=10)
        assert stops == ["hand pinched"]
        request.answer({"ok": True, "value": None})
        thread.join()


def test_a_wrong_key_is_refused_and_logged(door, caplog):
    server, engine_folder, lock, stops = door
    world.disk.save(engine_folder.key, bytes(32).hex().encode())
    with (
        caplog.at_level(logging.WARNING),
        Client(engine_folder, lock) as client,
        pytest.raises(EngineFault, match="its key is not that of the running session"),
    ):
        client.stop()
    assert stops == []
    assert server.requests.empty()
    assert "not signed" in caplog.text


def raw(server, *frames):
    """The reply to raw frames, sent by somebody who knows the address."""
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    if server.curve:
        socket.curve_serverkey = server.curve.encode()
        socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.connect(server.endpoint)
    socket.send_multipart(list(frames))
    assert socket.poll(10_000)
    reply = socket.recv_multipart()
    socket.close()
    context.term()
    return json.loads(reply[1])


def test_a_recorded_request_cannot_be_sent_again(door):
    server, engine_folder, lock, stops = door
    key = _engine_folder.read_key(engine_folder)
    frames = _wire.sign(_wire.request("status", {}, session="s1"), key)
    assert raw(server, b"", *frames)["ok"] is True
    again = raw(server, b"", *frames)
    assert again["ok"] is False
    assert "received before" in again["sentence"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": 0.0}, "last 30 s"),
        ({"time": "now"}, "last 30 s"),
        ({"session": "other"}, "for session 'other'"),
        ({"nonce": "short"}, "nonce"),
        ({"op": "format"}, "operation 'format' is not known"),
        ({"args": []}, "not known"),
    ],
)
def test_what_is_stale_misaddressed_or_unknown_is_refused(door, change, words):
    server, engine_folder, _, _ = door
    content = _wire.request("status", {}, session="s1") | change
    assert words in raw(server, b"", *_wire.sign(content, _engine_folder.read_key(engine_folder)))["sentence"]


@pytest.mark.parametrize("frames", [(b"", b"x"), (b"", b"x", b"y", b"z"), (b"no", b"x", b"y"), (b"", b"{}", b"")])
def test_what_is_malformed_is_refused(door, frames):
    server = door[0]
    assert raw(server, *frames)["error"] == "Unsigned"


def test_signed_text_that_is_no_object_is_refused():
    body = b"[1]"
    frames = [body, _wire.sign({}, KEY)[1]]
    with pytest.raises(_wire.Unsigned, match="not signed"):
        _wire.opened(frames, KEY)
    with pytest.raises(_wire.Unsigned, match="no JSON object"):
        _wire.opened([body, hmac.new(KEY, body, hashlib.sha256).digest()], KEY)


def test_an_unknown_error_name_becomes_an_engine_fault():
    with pytest.raises(EngineFault, match="odd"):
        _wire.raise_refusal({"ok": False, "error": "SystemExit", "sentence": "odd"})
    with pytest.raises(BadValue, match="even"):
        _wire.raise_refusal({"ok": False, "error": "BadValue", "sentence": "even"})


def test_socket_key_and_folder_are_for_this_account_alone(door):
    server, engine_folder, _, _ = door
    assert stat.S_IMODE(engine_folder.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(engine_folder.path.stat().st_mode) == 0o700
    if server.endpoint.startswith("ipc"):
        path = _engine_folder.socket_path(engine_folder.study, "s1")
        assert len(str(path)) <= _engine_folder.MAX_SOCKET_PATH
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    else:
        assert server.endpoint.startswith("tcp://127.0.0.1:")
        assert len(server.curve) == 40


def test_a_closed_client_says_so(door):
    _, engine_folder, lock, _ = door
    client = Client(engine_folder, lock)
    client.close()
    with pytest.raises(EngineFault, match="was closed"):
        client.status()


def signed(body: bytes, key: bytes) -> list[bytes]:
    """A body of any shape with a right signature: what a defective or hostile holder of the key could send."""
    return [body, hmac.new(key, body, hashlib.sha256).digest()]


UNREADABLE = {
    "a time of 400 digits": b'{"op":"status","args":{},"session":"s1","nonce":"%s","time":1' + b"0" * 400 + b"}",
    "30,000 nested brackets": b'{"op":"status","args":' + b"[" * 30_000 + b"]" * 30_000 + b',"nonce":"%s"}',
    "an infinite time": b'{"op":"status","args":{},"session":"s1","nonce":"%s","time":1e999}',
    "not a number": b'{"op":"status","args":{},"session":"s1","nonce":"%s","time":NaN}',
    "no UTF-8": b'{"op":"\xff\xfe","nonce":"%s"}',
    "half of a surrogate pair": b'{"op":"note","args":{"text":"\\ud800"},"session":"s1","nonce":"%s","time":0}',
    "half of one in a page": b'{"op":"presence","args":{"page":"\\ud800"},"session":"s1","nonce":"%s","time":0}',
    "too long": b'{"op":"' + b"x" * 70_000 + b'","nonce":"%s"}',
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_signed_message_that_cannot_be_read_is_refused_and_the_door_still_takes_a_stop(door, name):
    server, engine_folder, lock, stops = door
    body = UNREADABLE[name].replace(b"%s", b"0123456789abcdef").replace(b'"time":0}', b'"time":%d}' % time.time())
    assert raw(server, b"", *signed(body, _engine_folder.read_key(engine_folder)))["ok"] is False
    with Client(engine_folder, lock) as client:
        thread = answering(server, {"ok": True, "value": None})
        client.stop("after it")
        thread.join()
    assert stops == ["after it"]


def test_whatever_a_message_does_to_the_code_that_reads_it_the_door_still_takes_a_stop(door, monkeypatch, caplog):
    server, engine_folder, lock, stops = door
    check = server._fresh.check
    once = iter([ZeroDivisionError("unforeseen"), RecursionError("deep"), MemoryError()])

    def failing(content, *, session):
        for error in once:
            raise error
        check(content, session=session)

    monkeypatch.setattr(server._fresh, "check", failing)
    frames = signed(b"{}", _engine_folder.read_key(engine_folder))
    for kind in ("ZeroDivisionError", "RecursionError", "MemoryError"):
        said = raw(server, b"", *frames)
        assert said["ok"] is False
        assert kind in said["sentence"]
    assert "could not be read" in caplog.text
    with Client(engine_folder, lock) as client:
        thread = answering(server, {"ok": True, "value": None})
        client.stop("after it")
        thread.join()
    assert stops == ["after it"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_door_that_ends_is_opened_again_each_time_and_each_time_is_an_alarm(tmp_path, monkeypatch):
    engine_folder, plan = planned(tmp_path)
    world.disk.save(engine_folder.plan, plan.to_json().encode())
    engine, stops = Engine(engine_folder), []
    engine.supervisor.adopt("test")
    start = engine.supervisor.start
    server = Server(key=KEY, session="s1", stop_now=stops.append, study=tmp_path, spawn=start)
    engine.server = server
    world.disk.save(engine_folder.key, KEY.hex().encode())
    lock = {"session_id": "s1", "pid": 1, "endpoint": server.endpoint, "curve": ""}
    receive = server._receive

    def failing(frames):
        raise ZeroDivisionError

    try:
        for _ in range(3):
            serving = server._thread
            monkeypatch.setattr(server, "_receive", failing)
            with Client(engine_folder, lock) as client, pytest.raises(EngineFault):
                client._ask("status", patience_s=0.2)
            serving.join()
            monkeypatch.setattr(server, "_receive", receive)
            engine.supervisor.look("test")
            (alarm,) = [a for a in engine.session.ledger.alarms.shown() if a["acknowledged"] is None]
            assert (alarm["key"], "was ordered to its safe state" in alarm["means"]) == ("thread_lost", True)
            engine.session.ledger.alarms.acknowledge(alarm["id"], by="tests")
            with Client(engine_folder, lock) as client:
                thread = answering(server, {"ok": True, "value": None})
                client.stop("after it")
                thread.join()
        assert stops == ["after it"] * 3
    finally:
        server.close()
        engine.supervisor.close()


def test_brackets_inside_a_text_are_no_nesting():
    body = json.dumps({"text": '[[[[{{{{\\"]' * 500}).encode()
    assert _wire.opened(signed(body, KEY), KEY)["text"].startswith("[[[[")


def depth(body):
    """Deepest nesting that a reader byte by byte finds."""
    deepest = now = 0
    in_text = escaped = False
    for sign in body:
        if in_text:
            in_text, escaped = escaped or sign != ord('"'), not escaped and sign == ord("\\")
        elif sign == ord('"'):
            in_text = True
        else:
            now += (sign in b"[{") - (sign in b"]}")
            deepest = max(deepest, now)
    return deepest


@given(st.lists(st.sampled_from([b'"', b"\\", b"[", b"]", b"{", b"}", b"a", b"\n", b"[[[[[["]), max_size=60))
def test_nesting_is_found_in_any_bytes_as_a_reader_byte_by_byte_finds_it(parts):
    body = b"".join(parts)
    try:
        _wire._check_depth(body)
    except ValueError:
        assert depth(body) > _wire.MAX_DEPTH
    else:
        assert depth(body) <= _wire.MAX_DEPTH


def test_a_stop_that_the_door_does_not_answer_takes_the_stop_file(door):
    server, engine_folder, lock, stops = door
    server.close()
    engine_folder.heartbeat.touch()
    world.disk.save(engine_folder.lock, json.dumps({**_engine_folder.identity(), **lock}).encode())
    ended = threading.Event()
    watcher = world.start_thread("stop-file", watching(engine_folder, stops.append, ended.wait))
    with Client(engine_folder, lock) as client:
        client.stop("hand pinched")
    ended.set()
    watcher.join()
    assert stops == ["hand pinched"]
    assert not engine_folder.stop.exists()


def test_a_stop_that_nobody_takes_says_use_the_hardware_stop(door):
    server, engine_folder, lock, _ = door
    server.close()
    with Client(engine_folder, lock) as client, pytest.raises(EngineFault, match="use the hardware stop"):
        client.stop()
    assert not engine_folder.stop.exists()


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 3000, b'{"reason": 1}', b'{"reason": ""}'])
def test_whatever_the_stop_file_holds_it_is_a_stop(tmp_path, content):
    engine_folder, stops, ended = EngineFolder(tmp_path), [], threading.Event()
    engine_folder.prepare()
    engine_folder.stop.write_bytes(content)

    def stop(reason):
        stops.append(reason)
        ended.set()

    watching(engine_folder, stop, ended.wait)(lambda: None)
    assert len(stops) == 1
    assert not engine_folder.stop.exists()


def test_a_door_whose_end_is_noticed_before_its_thread_is_gone_is_opened_again(tmp_path, monkeypatch):
    """The thread lives on while its error is printed."""
    printing, printed = threading.Event(), threading.Event()

    def lingering(name, body, *, limit_s):
        def run():
            try:
                body(lambda: None)
            except ZeroDivisionError:
                printing.set()
                printed.wait(10)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    server = Server(key=KEY, session="s1", stop_now=lambda reason: None, study=tmp_path, spawn=lingering)
    try:
        assert server.reopen() is False
        monkeypatch.setattr(server, "_send", lambda *_: 1 // 0)
        server._post(b"somebody", {})
        assert printing.wait(10)
        assert server.reopen() is True
        assert server.reopen() is False
    finally:
        printed.set()
        server.close()


@pytest.mark.parametrize("end", [b'"', b"", b"\\"])
def test_a_text_is_left_out_whole_however_it_ends_before_brackets_are_counted(end):
    """What is left of a text would be looked at once for each mark in it: 40 kB took ten seconds."""
    assert _wire._TEXT.sub(b"", b'["' + b'\\"[' * 1000 + end) == b"["
