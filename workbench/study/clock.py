"""When something was written, and under which id: wall time, time zone, UUID version 7."""

from __future__ import annotations

from workbench import world


def utc_now() -> str:
    """UTC in ISO 8601 with milliseconds: ``2026-03-01T09:30:00.125Z``."""
    now = world.clock.now()
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def tz_offset() -> str:
    """Offset of this computer's local time from UTC: ``+0800``."""
    return world.clock.local().strftime("%z")


def uuid7() -> str:
    """A UUID version 7 as text (RFC 9562, 5.7, method 3): sorts by time to 0.25 µs, 62 random bits."""
    now = world.clock.wall_ns()
    value = (now // 1_000_000) << 80
    # 12 bits for the part of the millisecond: rows of one transaction keep their order.
    value |= 0x7 << 76 | (now % 1_000_000) * 4096 // 1_000_000 << 64
    value |= 0b10 << 62 | world.chance.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
