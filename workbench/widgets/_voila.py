"""Voila, imported without the grammar that jsonschema would build for it."""

from __future__ import annotations

from workbench import schemas

schemas.start()

from voila.app import Voila as Voila  # noqa: E402
