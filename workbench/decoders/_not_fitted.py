"""The one error that is scikit-learn's too; imported when it is raised, as scikit-learn takes long to load."""

from __future__ import annotations

from sklearn.exceptions import NotFittedError

from workbench.errors import BadSignal


class NotFitted(BadSignal, NotFittedError):  # type: ignore[misc]  # scikit-learn has no types
    """A decoder was used before its fit; caught by either name."""
