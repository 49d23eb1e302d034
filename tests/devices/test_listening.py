"""Listening to whoever claims a name on LSL: no stranger ends a listening thread, or crowds the others out."""

from __future__ import annotations

import ctypes
import threading
import uuid

import psutil
import pytest

from workbench.devices import lsl
from workbench.devices._last_metre import MAX_MESSAGE, parse
from workbench.devices._listening import MAX_TEXTS, Inbox, Listener
from workbench.devices._lsl_library import library
from workbench.engine.supervision import Supervisor
from workbench.vocabulary import StreamSpec

PAUSE = threading.Event()


def until(condition):
    for _ in range(600):
        if condition():
            return
        PAUSE.wait(0.05)
    pytest.fail("it did not happen within 30 s")


def outlet_without_format(source_id):
    """An outlet that announces no channel format, which liblsl allows and no inlet can be opened to."""
    lib, texts = library().lib.lib, (b"wb-status", b"DeviceStatus", source_id.encode())
    name, kind, source = map(ctypes.c_char_p, texts)
    info = library().StreamInfo(handle=lib.lsl_create_streaminfo(name, kind, 1, ctypes.c_double(0.0), 0, source))
    return library().StreamOutlet(info)


def test_an_outlet_of_no_format_ends_no_thread_and_the_real_one_is_heard():
    lsl.configure()
    source, heard, lost = f"wb-status-{uuid.uuid4().hex[:12]}", [], []
    supervisor = Supervisor(lambda name, why: lost.append(why))
    supervisor.adopt("test")
    strange = outlet_without_format(source)
    listener = Listener([source], lambda uid, text: heard.append(text), spawn=supervisor.start)
    real = lsl.Outlet(StreamSpec("wb-status", "DeviceStatus", 0.0, source_id=source, role="aux"))

    def arrived():
        real.push_text("real", 1.0)
        return "real" in heard

    until(arrived)
    assert lsl.discover(1.0)  # what is seen can be described, too
    real.push_text("x" * 1_000_000, 2.0)
    until(lambda: heard[-1] != "real")
    assert len(heard[-1]) == MAX_MESSAGE + 1
    assert parse(heard[-1]) is None
    supervisor.look("test")
    supervisor.close()
    listener.close()
    real.close()
    del strange
    assert lost == []


def test_a_listener_that_is_closed_gives_its_port_back_though_somebody_still_holds_it():
    """Streams are looked for at so many ports only: what is closed must not wait until garbage is collected."""

    def taken():
        return len(psutil.Process().net_connections(kind="udp"))

    lsl.configure()
    before = taken()
    listeners = [Listener([f"nobody-{k}"], lambda uid, text: None) for k in range(3)]
    assert taken() >= before + 3
    for listener in listeners:
        listener.close()
    until(lambda: taken() <= before)


def test_whoever_floods_loses_its_own_texts_and_the_others_are_heard():
    inbox = Inbox()
    for number in range(10 * MAX_TEXTS):
        inbox.put("flood", str(number))
    inbox.put("device", "status")
    taken = inbox.take(0.0)
    assert taken.count(("device", "status")) == 1
    assert [text for uid, text in taken if uid == "flood"] == [str(9 * MAX_TEXTS + k) for k in range(MAX_TEXTS)]
    assert inbox.take(0.0) == []
