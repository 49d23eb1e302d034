"""Decoders: epochs or feature streams → evidence. The folder is the register; one estimator per file.

``load(name)`` returns the class. A decoder follows the scikit-learn conventions on raw epochs
``(n_epochs, n_channels, n_times)`` in µV, and ``start()`` gives the stream that decides live and replayed.
It is saved as arrays and JSON with a hash, never pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import registry
from workbench.decoders._base import WindowDecoder
from workbench.decoders._collect import Training, collect
from workbench.decoders._joined import GATES_OF, JOINT_RULES, JoinedDecoder
from workbench.decoders._stopping import Stopped, Stopping, StoppingStream
from workbench.decoders._store import check_inputs, check_montage, read, recordings_in, save, save_joined
from workbench.decoding.adapt import check_chain
from workbench.decoding.flashes import Flashes
from workbench.decoding.fusion import fuse, fusion_weights
from workbench.decoding.stream import DecoderStream
from workbench.errors import BadValue
from workbench.fitting.settings import AdaptSettings, EvidenceSettings
from workbench.fitting.transfer import procrustes, recentre, rescale
from workbench.messages import Message
from workbench.vocabulary import Snapshot

__all__ = [
    "GATES_OF",
    "JOINT_RULES",
    "SELF_PACED_EEG",
    "AdaptSettings",
    "DecoderStream",
    "EvidenceSettings",
    "Flashes",
    "JoinedDecoder",
    "Snapshot",
    "Stopped",
    "Stopping",
    "StoppingStream",
    "Training",
    "WindowDecoder",
    "available",
    "check_chain",
    "check_inputs",
    "check_montage",
    "collect",
    "fuse",
    "fusion_weights",
    "load",
    "procrustes",
    "read",
    "recentre",
    "recordings_in",
    "rescale",
    "save",
    "save_joined",
]


SELF_PACED_EEG: Mapping[str, Any] = {
    "bands": ((8.0, 30.0),),
    "window_s": 2.0,
    "hop_s": 0.1,
    "evidence": {"memory": "detector", "false_per_min": 0.25},
}
"""Parameters of ``tangent_space_lda`` that finds movement or imagery without cues in scalp EEG."""


WRITTEN = ("name", "signal_defaults", "learned")
"""What each decoder's class sets itself."""


def available() -> tuple[str, ...]:
    """Names of the decoders."""
    return registry.available(__name__)


def load(name: str) -> type[WindowDecoder]:
    """The decoder class of that name; call it with its parameters, ``fs`` in Hz first."""
    decoder: type[WindowDecoder] = registry.load(__name__, name, "DECODER")
    lacking = [one for one in WRITTEN if not hasattr(decoder, one)]
    if lacking:
        raise BadValue(Message("decoder.lacks_attributes", name=repr(name), lacking=lacking, needed=list(WRITTEN)))
    if decoder.name != name:
        raise BadValue(Message("decoder.other_name", name=repr(name), got=repr(decoder.name)))
    return decoder
