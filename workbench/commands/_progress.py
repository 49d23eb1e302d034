"""One progress bar for a job of several stages: its present stage and the time left."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

BYTES_PER_S = 40e6
"""Expected of a backup, with its hashes and the disk waited for, bytes/s."""
WIDEST = 110
"""Most columns of the bar; a terminal that does not report its size counts as 80 × 24."""


class Bar:
    """One progress bar over expected real seconds: the present stage and the time left.

    Without a terminal it prints one line per stage.
    """

    def __init__(self, total_s: float) -> None:
        screen = shutil.get_terminal_size()
        self._bar = tqdm(
            total=round(total_s, 1),
            bar_format="{desc:<36} {percentage:3.0f} % |{bar}| {elapsed} gone{postfix}",
            ncols=min(screen.columns, WIDEST) - 1,
            nrows=screen.lines,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
        )
        self._total, self._base, self._done = total_s, 0.0, 0.0

    @contextmanager
    def stage(self, label: str, seconds: float) -> Iterator[Bar]:
        """A stage that is expected to take ``seconds``."""
        self.begin(label)
        yield self
        self.inside(seconds)
        self._base += seconds

    def begin(self, label: str) -> None:
        """Say which stage begins, where nobody knows how long it is."""
        if self._bar.disable:
            left = f"about {self._total - self._done:.0f} s left"
            sys.stderr.write(f"[{100 * self._done / self._total:3.0f} %] {label}, {left}\n")
            sys.stderr.flush()
        self.inside(0.0, label)

    def inside(self, seconds: float, label: str = "") -> None:
        """Set the progress of the present stage, s."""
        # Never backwards, never beyond the end: the expected seconds are estimates.
        done = max(self._done, min(self._base + seconds, self._total))
        if label:
            self._bar.set_description_str(label, refresh=False)
        self._bar.set_postfix_str(f"about {self._total - done:.0f} s left", refresh=False)
        self._bar.update(done - self._done)
        self._bar.refresh()
        self._done = done

    def close(self) -> None:
        """Leave the bar as it is and go to the next line."""
        self._bar.close()


class ByteBar:
    """A bar over bytes: called with a stage, the bytes that are done and all of them."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far it is."""
        if self._bar is None:
            self._bar = Bar(max(0.1, total / BYTES_PER_S))
        # What is done at the end takes no time that is worth a line.
        if stage != self._stage and done < total:
            self._bar.begin(stage)
            self._stage = stage
        self._bar.inside(done / BYTES_PER_S)

    def __enter__(self) -> ByteBar:
        """The bar itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it is and go to the next line."""
        if self._bar is not None:
            self._bar.close()
