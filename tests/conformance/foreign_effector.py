"""A device that shares no code with the workbench: written from ``docs/effector_protocol.md``, on pylsl alone.

It moves a number at once, holds it for 0.2 s when the link is lost, and then brings it to 0 within 0.2 s.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import threading
import time

import pylsl

EFFECTOR = os.environ["WORKBENCH_EFFECTOR"]
HOLD_S, RELEASE_S, STATUS_S = 0.2, 0.2, 0.04
HEAD = re.compile(
    r"wbm1 down ([a-z0-9_-]{1,40}) (hello|query|command|end) ([0-9a-f]{16}|-) (\d{1,18}) (\d{1,18}) "
    r"([0-9a-f]{64}) (\{.*)"
)


def sign(key, text):
    return hmac.new(key, text.encode("ascii"), hashlib.sha256).hexdigest()


def derive(key, purpose, salt=b""):
    extracted = hmac.new(salt or bytes(32), key, hashlib.sha256).digest()
    info = f"workbench last metre 1\n{purpose}\n{EFFECTOR}\x01"
    return hmac.new(extracted, info.encode(), hashlib.sha256).digest()


def message(key, kind, session, sequence, body):
    body = json.dumps(body)
    mac = sign(key, f"wbm1 up {EFFECTOR} {kind} {session} {sequence} 0 {body}")
    return f"wbm1 up {EFFECTOR} {kind} {session} {sequence} 0 {mac} {body}"


class Session:
    def __init__(self, key):
        self.key, self.name = key, sign(key, "name")[:16]
        self.sent = self.received = 0


class Hand:
    """The number that moves, and the rules of time to live, safe state, stop and lock."""

    def __init__(self):
        self.state, self.level, self.locked, self.deadline = "safe", 0.0, True, 0.0
        self.held_since = self.release_at = self.released_from = 0.0
        self.last_seq, self.answers = 0, {}

    def tick(self, now):
        if self.state == "following" and now > self.deadline:
            self.lose(self.deadline)
        if self.state == "holding" and now > self.release_at:
            self.state, self.released_from = "venting", self.level
        if self.state == "venting":
            self.level = max(0.0, self.released_from * (1 - (now - self.release_at) / RELEASE_S))
            if self.level == 0:
                self.state = "safe"

    def lose(self, at):
        self.state, self.locked = "holding", True
        self.release_at = max(at, min(at, self.held_since or at) + HOLD_S)

    def begin(self):
        self.last_seq, self.answers, self.held_since = 0, {}, 0.0
        self.locked = self.level > 0 or self.state in ("holding", "venting")

    def order(self, body, now, age_s):
        seq, action = body["seq"], body["action"]
        if action == "stop":
            self.state, self.level, self.locked = "stopped", 0.0, True
            return "ok", "vented"
        if seq in self.answers:
            return self.answers[seq]
        self.answers[seq] = self.followed(seq, action, body, now, age_s)
        return self.answers[seq]

    def followed(self, seq, action, body, now, age_s):
        ttl_s, wanted = body["ttl_ms"] / 1000, body["level"][0]
        target = {"close": wanted, "hold": self.level, "heartbeat": self.level}.get(action, 0.0)
        refusals = {
            "wrong_profile": body["profile"] != EFFECTOR,
            "unknown_action": action not in ("close", "open", "release", "hold", "heartbeat"),
            "locked": self.locked,
            "old_seq": seq <= self.last_seq,
            "bad_ttl": not 0 < ttl_s <= 2,
            "bad_level": not abs(wanted) < float("inf"),
            "expired": age_s > ttl_s,
        }
        for code, refused in refusals.items():
            if refused:
                return "refused", code
        self.last_seq, self.deadline, self.state = seq, now + ttl_s, "following"
        if action != "heartbeat":
            self.held_since = (self.held_since or now) if action == "hold" else 0.0
            self.level = min(max(target, 0.0), 1.0)
        return ("ok" if self.level == target else "clipped"), ("heartbeat" if action == "heartbeat" else "")


class Device:
    def __init__(self, pairing_key):
        self.pairing_key, self.hand = pairing_key, Hand()
        self.handshake, self.status_key = derive(pairing_key, "handshake"), derive(pairing_key, "status")
        self.link = derive(pairing_key, "link id").hex()[:12]
        self.acks, self.statuses = self.outlet("acks", "Acks"), self.outlet("status", "DeviceStatus")
        wanted = " or ".join(f"source_id='wb-{name}-{self.link}'" for name in ("commands", "watch"))
        self.resolver, self.inlets = pylsl.ContinuousResolver(pred=wanted, forget_after=2.0), {}
        self.counter, self.published, self.incarnation = 0, {}, secrets.token_hex(8)
        self.offer, self.current, self.pending = secrets.token_bytes(16), None, {}
        self.foreign = dict.fromkeys(("malformed", "forged", "replayed", "session"), 0)
        self.told, self.over = ("", 0.0), False

    def outlet(self, name, kind):
        info = pylsl.StreamInfo(f"wb-{name}", kind, 1, 0.0, "string", f"wb-{name}-{self.link}")
        return pylsl.StreamOutlet(info)

    def content(self):
        uids = {"acks": self.acks.get_info().uid(), "status": self.statuses.get_info().uid()}
        hand = self.hand
        shown = {"driver": "foreign 1.0", "state": hand.state, "level": hand.level, "locked": hand.locked}
        return {**shown, "stamp": pylsl.local_clock(), "uids": uids}

    def report(self, kind, **more):
        self.counter += 1
        self.published[self.counter] = time.monotonic()
        self.published.pop(self.counter - 512, None)
        named = {"counter": self.counter, "incarnation": self.incarnation, "offer": self.offer.hex()}
        session = self.current.name if self.current else ""
        body = {**self.content(), **named, "session": session, "foreign": self.foreign, **more}
        self.statuses.push_sample([message(self.status_key, kind, "-", 0, body)])

    def under(self, session, kind, body):
        session.sent += 1
        self.acks.push_sample([message(session.key, kind, session.name, session.sent, body)])

    def receive(self, text):
        head = HEAD.fullmatch(text) if len(text) <= 4096 and text.isascii() else None
        if head is None or head[1] != EFFECTOR:
            return "malformed"
        _, kind, name, sequence, echo, mac, body = head.groups()
        session = self.pending.get(name)
        if self.current is not None and name == self.current.name:
            session = self.current
        key = self.handshake if kind in ("hello", "query") else session and session.key
        if key is None:
            return "session"
        if not hmac.compare_digest(sign(key, text.replace(f" {mac} ", " ", 1)), mac):
            return "forged"
        body = json.loads(body)
        if kind == "query":
            return self.report("report", nonce=body["nonce"])
        if kind == "hello":
            return self.welcome(body)
        return self.session_message(kind, session, int(sequence), int(echo), body)

    def welcome(self, body):
        if body["offer"] != self.offer.hex():
            return "replayed"
        session = Session(derive(self.pairing_key, "session", self.offer + bytes.fromhex(body["nonce"])))
        self.offer = secrets.token_bytes(16)
        self.pending[session.name] = session
        while len(self.pending) > 4:
            del self.pending[next(iter(self.pending))]
        self.under(
            session, "welcome", {**self.content(), "incarnation": self.incarnation, "counter": self.counter}
        )
        return None

    def session_message(self, kind, session, sequence, echo, body):
        if sequence <= session.received and body.get("action") != "stop":
            return "replayed"
        session.received = max(session.received, sequence)
        if session.name in self.pending:
            self.current, self.pending = session, {}
            self.hand.begin()
        now = time.monotonic()
        if kind == "end":
            self.hand.deadline = min(self.hand.deadline, now)
            return None
        received = pylsl.local_clock()
        status, code = self.hand.order(body, now, now - self.published.get(echo, -float("inf")))
        answer = {"seq": body["seq"], "received": received, "effective": received, "status": status}
        self.under(session, "ack", {**answer, "applied_level": [self.hand.level], "code": code})
        return None

    def run(self):
        while not (self.over and self.hand.level == 0):
            # The time first: what waits may be from before a sleep.
            self.hand.tick(time.monotonic())
            self.listen()
            if self.over:
                self.hand.deadline = min(self.hand.deadline, time.monotonic())
            state, at = self.told
            if self.hand.state != state or time.monotonic() - at >= STATUS_S:
                self.told = (self.hand.state, time.monotonic())
                self.report("status")
            time.sleep(0.004)

    def open(self, info):
        inlet = pylsl.StreamInlet(info, max_buflen=1, recover=False)
        try:
            inlet.info(2.0)
            inlet.open_stream(2.0)
        except (TimeoutError, pylsl.util.LostError):
            del self.inlets[info.uid()]
        else:
            self.inlets[info.uid()] = inlet

    def listen(self):
        for info in self.resolver.results():
            if info.uid() and info.uid() not in self.inlets:
                self.inlets[info.uid()] = None
                threading.Thread(target=self.open, args=(info,), daemon=True).start()
        for uid, inlet in list(self.inlets.items()):
            if inlet is None:
                continue
            try:
                texts, _ = inlet.pull_chunk(0.0, 64)
            except pylsl.util.LostError:
                del self.inlets[uid]
                continue
            for (text,) in texts:
                self.hand.tick(time.monotonic())
                wrong = self.receive(text)
                if wrong is not None:
                    self.foreign[wrong] += 1


def main():
    with open(os.environ["WORKBENCH_PAIRING"]) as file:
        device = Device(bytes.fromhex(file.read().strip()))
    signal.signal(signal.SIGTERM, lambda *_: setattr(device, "over", True))
    device.run()


if __name__ == "__main__":
    main()
