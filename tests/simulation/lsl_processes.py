"""What processes of the contract of LSL do, real or simulated. Few imports: each real one pays for them."""

from __future__ import annotations

import numpy as np

from workbench import world
from workbench.devices import _lsl_library, lsl
from workbench.vocabulary import StreamSpec


def announce(source_id):
    """Be an outlet that pushes, for ever."""
    outlet = lsl.Outlet(StreamSpec("Contract", "EEG", 250.0, ("a", "b"), "uV", source_id))
    while True:
        outlet.push(np.zeros((1, 2)), np.array([lsl.local_clock()]))
        world.clock.sleep(0.02)


def receive(source_id, *, described, tell):
    """Open an inlet, pull once when ``tell("open")`` returns, and tell what that gave."""
    library = _lsl_library.library()
    (info,) = library.resolve_byprop("source_id", source_id, 1, 10.0)
    inlet = library.StreamInlet(info, max_buflen=1, recover=False, processing_flags=0)
    if described:
        inlet.info(5.0)
    inlet.open_stream(5.0)
    tell("open")
    try:
        inlet.pull_chunk(0.1, 64, min_samples=1)
        tell("pulled")
    except library.util.LostError:
        tell("lost")
