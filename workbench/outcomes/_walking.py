"""Recorded beside the results of every walking test."""

from __future__ import annotations

from workbench.outcomes._contract import Item

AIDS = Item(
    "walking_aid", "walking aid", ("none", "cane", "two canes", "crutches", "walker", "parallel bars", "other")
)
"""The aid of this walk; orthosis, device and stimulation are fields of every assessment."""
