"""Entering an outcome measure: a form generated from its definition, with every number scored by the measure.

The condition under which an assessment is made (assisted or not × device on or off × stimulation on or off) has
no default: a form without it cannot be saved, because an assisted score is never recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import traitlets

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.vocabulary import MeasureDefinition
from workbench.widgets._base import compose, styles
from workbench.widgets._circumstances import CONDITIONS
from workbench.widgets._entry import AssessmentEntry, plain

__all__ = ["CONDITIONS", "AssessmentForm"]


class AssessmentForm(AssessmentEntry):
    """A keyboard form of any measure: see :class:`~workbench.widgets._entry.AssessmentEntry`.

    Parameters
    ----------
    versions : definitions of the other versions; ``score`` is then also called with ``version=``. The version is
        chosen before the first entry.

    Traits
    ------
    versions : names of the versions, the chosen one is that of ``definition``.
    """

    _esm = compose("parts/dom", "parts/icons", "parts/entry", "parts/items", "assessment_form")
    _css = styles("panels", "entry", "assessment")

    versions: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        definition: MeasureDefinition,
        *,
        score: Callable[..., Any],
        versions: Sequence[MeasureDefinition] = (),
        **more: Any,
    ) -> None:
        self._versions = {version.version: version for version in (definition, *versions)}
        self._any_version = score
        super().__init__(definition, score=self._of_version(definition), **more)
        self.versions = list(self._versions)

    @classmethod
    def of(cls, measure: Any, *, version: str = "", **more: Any) -> AssessmentForm:
        """The form of an entry of the register, in that version or the current one, with the others to choose."""
        definitions = list(measure.definitions)
        first = next((definition for definition in definitions if definition.version == version), definitions[0])
        others = [definition for definition in definitions if definition is not first]
        return cls(first, score=measure.score, versions=others, **more)

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Those of every form, and choosing the version."""
        return {**super().requests(), "choose_version": self.choose_version}

    def choose_version(self, version: str) -> None:
        """Switch to another version before anything is entered: versions are never mixed."""
        self._open()
        if version not in self._versions:
            raise BadValue(
                Message("form.one_of", name="version", allowed=list(self._versions), value=repr(version))
            )
        if any(value is not None for value in self._entered.values()):
            raise Refused(Message("form.entered_in_version"))
        self._definition = self._versions[version]
        self._score = self._of_version(self._definition)
        self._options = {}
        if self._fields["mode"] not in self._definition.modes:
            self._fields = {**self._fields, "mode": ""}
        self.definition = plain(self._definition)
        self._tell()

    def _of_version(self, definition: MeasureDefinition) -> Callable[..., Any]:
        several = len(self._versions) > 1
        return partial(self._any_version, version=definition.version) if several else self._any_version
