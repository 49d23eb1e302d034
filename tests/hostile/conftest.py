"""The rooms of the live tests, for what must be looked at while a session runs."""

from __future__ import annotations

from tests.live.conftest import make_room

__all__ = ["make_room"]
