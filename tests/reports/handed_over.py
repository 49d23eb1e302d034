"""A folder of results in the format of ``docs/analysis.md``, whose rows are those of a trial's record."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from workbench.study import Study, chain
from workbench.study.snapshots import listed

HEAD = (
    "key",
    "participant",
    "arm",
    "visit",
    "value",
    "change",
    "improvement",
    "source_table",
    "source_id",
    "entry_seq",
    "entry_hash",
)
ESTIMATE = {
    "arm": "interface",
    "reference": "timed",
    "visit": "Week 8",
    "scale": "difference_of_means",
    "value": 3.657878960,
    "se": 1.2,
    "df": 5.2,
    "statistic": 2.9,
    "p": 0.0312878266,
    "low": 0.4518718378,
    "high": 6.863886083,
    "level": 0.95,
    "n": 8,
    "delta": None,
}
REFUSAL = "arm timed has 1 outcome, at least 2 are needed"


def analysis(name: str, role: str, rows: list[str], **more: Any) -> dict[str, Any]:
    """One analysis of the primary estimand that was estimated; ``more`` replaces what it says."""
    return {
        "name": name,
        "estimand": "primary",
        "role": role,
        "method": "mmrm",
        "population": "itt",
        "variable": "arat.total",
        "outcome": "change",
        "side": "right",
        "state": "off",
        "visits": ["Week 4", "Week 8"],
        "covariates": ["baseline"],
        "settings": {},
        "threshold": "",
        "strategies": {"implant removed": {"strategy": "composite", "participants": 0}},
        "status": "estimated",
        "refusal": "",
        "refusal_code": "",
        "arms": {arm: {"participants": 4, "with_outcome": 3} for arm in ("timed", "interface")},
        "estimates": [ESTIMATE],
        "means": [],
        "notes": [],
        "confirmation": None,
        "rows": rows,
        **more,
    }


def hand_over(study: Study, folder: Path) -> dict[str, Any]:
    """Write ``results.json`` and ``visits.csv`` of the newest snapshot; what the first one says."""
    folder.mkdir(parents=True)
    people = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
    visits = {row["id"]: (people[row["participant_id"]], row["name"]) for row in study.rows("visit")}
    entries = {entry.row_id: entry for entry in study.entries() if entry.table == "assessment"}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    keys = []
    for row in study.rows("assessment", device_on=False):
        (person, visit), entry = visits[row["visit_id"]], entries[row["id"]]
        if visit == "Week 8":
            keys.append(f"{person} {visit}")
            total = row["score"]["total"]["value"]
            writer.writerow(
                (keys[-1], person, "timed", visit, total, 1.0, 1.0, "assessment", row["id"], entry.seq, entry.hash)
            )
    (folder / "visits.csv").write_text(out.getvalue())
    cut = listed(study)[-1]
    refused = {"status": "refused", "refusal": REFUSAL, "estimates": [], "arms": None}
    content = {
        "format": "workbench results 1",
        "workbench": "0.1.0",
        "study": {"id": study.id},
        "snapshot": {"name": cut.name, "sha256": cut.sha256},
        "protocol": {},
        "plan": {"sha256": "5d02e7b9" * 8, "reference": "timed"},
        "datasets": {"visits": chain.sha256(out.getvalue())},
        "simulated": True,
        "analyses": [
            analysis(
                "main", "primary", keys, confirmation={"place": 1, "p_adjusted": 0.0312878266, "rejected": True}
            ),
            analysis("jump", "sensitivity", keys, method="reference_based", notes=["1 value was imputed"]),
            analysis("few", "secondary", [], variable="arat.grip", **refused),
        ],
    }
    save(folder, content)
    return content


def save(folder: Path, content: dict[str, Any]) -> None:
    """Write what ``results.json`` says."""
    (folder / "results.json").write_text(json.dumps(content))
