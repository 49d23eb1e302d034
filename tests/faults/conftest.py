"""The rooms of the live tests: a study, a plan, and engines that never outlive their test."""

from __future__ import annotations

from tests.live.conftest import fast, make_room

__all__ = ["fast", "make_room"]
