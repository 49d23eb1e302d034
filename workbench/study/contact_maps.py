"""Maps of contacts in the record: the charge that they gave, which counts on the same day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench import world
from workbench.stimulation import Place

if TYPE_CHECKING:
    from workbench.study.record import Study

TABLE = "contact_map"


def charge_of_today(study: Study, participant_id: str) -> dict[Place, float]:
    """Charge of each contact that maps of today gave a participant, µC.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.
    """
    rows = study.rows(TABLE)
    visits = {row["id"] for row in study.rows("visit", participant_id=participant_id)} if rows else set()
    today, charge = world.clock.local().date().isoformat(), dict[Place, float]()
    for row in rows:
        # The days of UTC and of the place may differ: what is not surely older counts.
        if row["visit_id"] not in visits or row["utc"][:10] < today:
            continue
        for contact, amount in row["result"]["charge_uc"].items():
            place = (row["lead"], int(contact))
            charge[place] = charge.get(place, 0.0) + float(amount)
    return charge
