"""What the pages share that are read from the record as a whole and make changes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets

from workbench import messages
from workbench.widgets._base import SAYABLE, SYNCED, Panel


class RecordPage(Panel):
    """A page of the record.

    Parameters
    ----------
    service : has ``page``, ``row`` and ``make``.
    *about : what each of them is asked about first, as the id of a participant.

    Traits
    ------
    look : ``{"read_at", "fault"}``; page : what the service told last, empty before the first reading.
    """

    look = traitlets.Dict().tag(**SYNCED)
    page = traitlets.Dict().tag(**SYNCED)

    def __init__(self, service: Any, *about: str, **traits: Any) -> None:
        super().__init__(**traits)
        self._service, self._about = service, about

    def read(self) -> None:
        """Read the record. When it cannot be read, the page stays as it was, with the fault beside it."""
        try:
            found = dict(self._service.page(*self._about))
        except SAYABLE as error:
            self.look = {**self.look, "fault": messages.of(error)}
            return
        with self.hold_sync():
            self.look = {"read_at": found.pop("read_at"), "fault": ""}
            self.page = found

    def row(self, table: str, row: str) -> dict[str, Any]:
        """All of an adverse event or a device deficiency."""
        return dict(self._service.row(*self._about, table, row))

    def make(
        self, change: str, fields: Mapping[str, str], reason: str = "", login: str = "", password: str = ""
    ) -> None:
        """Make a change, then read the record again.

        Parameters
        ----------
        change : its name.
        fields : of it, as text.
        reason : why.
        login, password : of who makes it; passed on and forgotten.
        """
        self._service.make(*self._about, change, fields, reason=reason, login=login, password=password)
        self.read()
