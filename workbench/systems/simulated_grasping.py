"""A simulated participant with an 8-channel epidural implant who grasps; a simulated glove follows."""

from __future__ import annotations

from workbench import paradigms
from workbench.devices import simulated_participant
from workbench.systems._system import SIGNAL, System


def simulated_grasping(*, seed: int = 1, calibration_trials: int = 16, online_trials: int = 15) -> System:
    """The system with these numbers of trials.

    Parameters
    ----------
    seed : of the participant and of the schedule.
    calibration_trials, online_trials : of the two runs.
    """
    options = {"preset": "neo", "seed": seed, "source_id": SIGNAL}
    paradigm = paradigms.load("grasp_rest")()
    signal = simulated_participant.spec(options)
    counts = (calibration_trials, online_trials)
    # A run lasts until the end of its last cue; breaks between cues are drawn with the seed.
    ends = [paradigm.schedule(n, seed=seed)[-1] for n in counts]
    return System(
        source="simulated participant, 8-channel epidural ECoG at 1 kHz; simulated glove",
        simulated=True,
        signal=signal,
        player={"device": "simulated_participant", "options": options},
        paradigm=paradigm.name,
        paradigm_params=paradigm.params(),
        decoder="bandpower_lda",
        decoder_params={"fs": signal.fs},
        trials=counts,
        durations=tuple(end.at_s + end.duration_s for end in ends),
        effector="glove",
    )


SYSTEM = simulated_grasping
