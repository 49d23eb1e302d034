"""Practice at home: whether a decoder may be made anew, the run for it, and what the protocol's rule said of it.

The glove is never armed in it. What the run gives is fitted by the recipe of the decoder that the site approved,
and :mod:`workbench.runs.approve` decides; whatever goes wrong before that leaves the decoder as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench import messages, paradigms, runs
from workbench.dashboard.visits import VisitService
from workbench.errors import Refused, WorkbenchError
from workbench.live._engine_folder import EngineFolder, in_turn
from workbench.messages import Message
from workbench.runs import approve as approving
from workbench.study import Study, approvals, home_use
from workbench.vocabulary import RecalibrationRule

KIND = "calibration"
"""Of the run: nothing decides in it, so that nothing can be armed."""


class Practice:
    """Recalibration of one participant at home.

    Parameters
    ----------
    visits : of the page at home.
    person_id : of the participant.

    Attributes
    ----------
    minutes : of stream time that it takes; 0 where none is offered.
    why : why none is offered although the protocol has a rule for it, ``""`` for no reason that matters.
    made_at_home : whether the decoder in use was made at home.
    """

    def __init__(self, visits: VisitService, person_id: str) -> None:
        self._visits, self._person = visits, person_id
        self.minutes, self.made_at_home = 0.0, False
        self.why: str = ""
        self._rule: RecalibrationRule | None = None

    @property
    def _use(self) -> dict[str, str]:
        system = self._visits.system
        return {
            "effector": system.effector or approvals.SCREEN, "participant_id": self._person, "system": system.key,
        }  # fmt: skip

    # ------------------------------------------------------------------------------ whether
    @property
    def cues(self) -> int:
        """Of one practice; 0 without a rule."""
        return 0 if self._rule is None else self._rule.cues

    def look(self, study: Study) -> None:
        """Read again how the decoders stand.

        Parameters
        ----------
        study : the open record.
        """
        now = approvals.at_home(study, **self._use)
        used = approvals.in_use(study, **self._use, place=home_use.PLACE)
        self.made_at_home = used is not None and used["approval"]["method"] == approvals.HOME_RULE
        self._rule, self.minutes, self.why = now.rule, 0.0, ""
        if now.rule is None or now.site is None or used is None or now.site["metrics"].get("params") is None:
            return
        if now.age_days > now.rule.alone_days:
            self.why = Message("recalibration.too_old", n=now.rule.alone_days)
        elif now.in_a_row >= now.rule.most_in_a_row:
            self.why = Message("recalibration.too_many", n=now.rule.most_in_a_row)
        elif approvals.days_since(used["approval"]["utc"]) >= now.rule.after_days:
            self.minutes = self._minutes(now.rule.cues)

    def _minutes(self, cues: int) -> float:
        system = self._visits.system
        paradigm = paradigms.from_params(system.paradigm_of(KIND), system.params_of(KIND))
        last = paradigm.schedule(cues, seed=1)[-1]
        return (last.at_s + last.duration_s) / 60.0

    # ------------------------------------------------------------------------------ the run
    def begin(self, client: Any) -> str:
        """Start the run; its id.

        Parameters
        ----------
        client : of the engine.

        Raises
        ------
        Refused
            When none is offered any more.
        """
        if self._rule is None or not self.minutes:
            raise Refused(self.why or Message("recalibration.no_rule"))
        return str(client.start_run(KIND, n_trials=self._rule.cues, **self._visits.run_settings(KIND)))

    def learn(self, run_id: str, present: Sequence[str]) -> tuple[bool, Message]:
        """Fit a decoder on an ended run and let the rule decide: whether it is in use now, and a sentence.

        Parameters
        ----------
        run_id : of the run, which the record has.
        present : roles that said to be there when it began.
        """
        try:
            return self._decided(run_id, present)
        except WorkbenchError as error:
            # Too few good cues, a record that is locked, a full disk: the decoder of before is still in use.
            return False, Message("recalibration.kept", why=messages.of(error))

    def _decided(self, run_id: str, present: Sequence[str]) -> tuple[bool, Message]:
        folder = self._visits.folder
        with self._visits.record() as study:
            now = approvals.at_home(study, **self._use)
            used = approvals.in_use(study, **self._use, place=home_use.PLACE)
            recorded = study.rows("recording", run_id=run_id)
            cues = len(study.rows("trial", run_id=run_id))
        if now.rule is None or now.site is None or used is None:
            raise Refused(Message("recalibration.no_rule"))
        if not recorded:
            raise Refused(Message("recalibration.not_kept"))
        if cues < now.rule.cues:
            return False, Message("recalibration.too_few", n=cues, all=now.rule.cues)
        recipe = (str(now.site["name"]), dict(now.site["metrics"]["params"]))
        paths: list[Any] = [folder / row["path"] for row in recorded]
        # A page that was loaded again has the same to do as the one before, which may live on: one does it.
        with in_turn(EngineFolder(folder), "fit"):
            with self._visits.record() as study:
                sha256 = approving.entered(study, [row["sha256"] for row in recorded], *recipe)
            if not sha256:
                fitted = runs.run_fit(folder, paths, *recipe, last=folder / used["path"])
            with self._visits.record() as study:
                sha256 = sha256 or approving.enter(study, fitted)
                if study.approval_of(sha256, **_of(self._use)) is None:
                    signer = self._visits.signer(study, study.get("participant", self._person))
                    approving.by_home_rule(study, sha256, **self._use, present=present, signer=signer)
                return _outcome(study, sha256, study.approval_of(sha256, **_of(self._use)) or {})

    # ------------------------------------------------------------------------------ back
    def go_back(self, present: Sequence[str]) -> None:
        """Use the decoder of the site again.

        Parameters
        ----------
        present : roles that said to be there.
        """
        with self._visits.record() as study:
            signer = self._visits.signer(study, study.get("participant", self._person))
            approving.back_to_site(study, **self._use, present=present, signer=signer)
            self.look(study)


def _of(use: Mapping[str, str]) -> dict[str, str]:
    """A use without its system."""
    return {name: use[name] for name in ("effector", "participant_id")}


def _outcome(study: Study, sha256: str, decision: Mapping[str, Any]) -> tuple[bool, Message]:
    """Whether a decision took a decoder, and the sentence for the page."""
    (decoder,) = study.rows("decoder", sha256=sha256)
    if decision["decision"] != "approve":
        failed = next(check["text"] for check in decision["checks"] if check["state"] != "pass")
        return False, Message("recalibration.kept", why=failed)
    both = decoder["metrics"]["compared"]
    return True, Message("recalibration.taken", n=both["correct"], last=both["last_correct"], all=both["n"])


def shown(run: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of the run under way: the cue, how many are left and how long.

    Parameters
    ----------
    run : part of a status of the engine.
    """
    cue = run.get("cue") or {}
    return {
        "cue": str(cue.get("label") or ""), "left": max(0, run["trials_total"] - run["trials_done"]),
        "all": run["trials_total"], "left_s": run.get("left_real_s"),
    }  # fmt: skip
