"""The engine's door: only fresh, signed requests of this session pass; everything else is refused and logged."""

from __future__ import annotations

import json
import logging
import stat
import threading

import pytest
import zmq

from workbench.errors import BadValue, EngineFault, Refused
from workbench.live import _place, _wire
from workbench.live._place import Place
from workbench.live._server import Server
from workbench.live.client import Client

KEY = bytes(range(32))


@pytest.fixture(params=["ipc", "tcp"])
def door(request, tmp_path):
    """A server on a study folder, and what it was told to stop for."""
    place = Place(tmp_path)
    place.prepare()
    key = _place.new_key(place)
    stops = []
    server = Server(key=key, session="s1", stop_now=stops.append, study=tmp_path, transport=request.param)
    lock = {"session_id": "s1", "pid": 1, "endpoint": server.endpoint, "curve": server.curve}
    yield server, place, lock, stops
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
    server, place, lock, _ = door
    server.publish({"engine": {"state": "idle"}})
    with Client(place, lock) as client:
        assert client.status() == {"engine": {"state": "idle"}}
        thread = answering(server, {"ok": True, "value": None})
        client.note("hello")
        thread.join()


def test_a_refusal_arrives_under_its_own_class(door):
    server, place, lock, _ = door
    with Client(place, lock) as client:
        thread = answering(server, _wire.refusal(Refused("arming is not possible")))
        with pytest.raises(Refused, match="arming is not possible"):
            client.arm()
        thread.join()


def test_stop_is_carried_out_before_the_loop_comes_by(door):
    server, place, lock, stops = door
    with Client(place, lock) as client:
        thread = threading.Thread(target=client.stop, args=("hand pinched",))
        thread.start()
        request = server.requests.get(timeout=10)
        assert stops == ["hand pinched"]
        request.answer({"ok": True, "value": None})
        thread.join()


def test_a_wrong_key_is_refused_and_logged(door, caplog):
    server, place, lock, stops = door
    _place.write_private(place.key, bytes(32).hex().encode())
    with (
        caplog.at_level(logging.WARNING),
        Client(place, lock) as client,
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
    server, place, lock, stops = door
    key = _place.read_key(place)
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
    server, place, _, _ = door
    content = _wire.request("status", {}, session="s1") | change
    assert words in raw(server, b"", *_wire.sign(content, _place.read_key(place)))["sentence"]


@pytest.mark.parametrize("frames", [(b"", b"x"), (b"", b"x", b"y", b"z"), (b"no", b"x", b"y"), (b"", b"{}", b"")])
def test_what_is_malformed_is_refused(door, frames):
    server = door[0]
    assert raw(server, *frames)["error"] == "Unsigned"


def test_signed_text_that_is_no_object_is_refused():
    body = b"[1]"
    frames = [body, _wire.sign({}, KEY)[1]]
    with pytest.raises(_wire.Unsigned, match="not signed"):
        _wire.opened(frames, KEY)
    import hashlib
    import hmac

    with pytest.raises(_wire.Unsigned, match="no JSON object"):
        _wire.opened([body, hmac.new(KEY, body, hashlib.sha256).digest()], KEY)


def test_an_unknown_error_name_becomes_an_engine_fault():
    with pytest.raises(EngineFault, match="odd"):
        _wire.raise_refusal({"ok": False, "error": "SystemExit", "sentence": "odd"})
    with pytest.raises(BadValue, match="even"):
        _wire.raise_refusal({"ok": False, "error": "BadValue", "sentence": "even"})


def test_socket_key_and_folder_are_for_this_account_alone(door):
    server, place, _, _ = door
    assert stat.S_IMODE(place.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    if server.endpoint.startswith("ipc"):
        path = _place.socket_path(place.study, "s1")
        assert len(str(path)) <= _place.MAX_SOCKET_PATH
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    else:
        assert server.endpoint.startswith("tcp://127.0.0.1:")
        assert len(server.curve) == 40


def test_a_closed_client_says_so(door):
    _, place, lock, _ = door
    client = Client(place, lock)
    client.close()
    with pytest.raises(EngineFault, match="was closed"):
        client.status()
