"""ISNCSCI exams, as the tests of the outcome measures build them."""

from __future__ import annotations

from tests.outcomes.conftest import make, reference_cases

__all__ = ["make", "reference_cases"]
