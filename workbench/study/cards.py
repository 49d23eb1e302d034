"""What a notebook shows of the nouns of a record: the nouns themselves know nothing of pages."""

from __future__ import annotations

from workbench.html_repr import card, register
from workbench.vocabulary import FittedDecoder, Run


def run_card(run: Run) -> str:
    """A run, with the plain values of its summary."""
    plain = {name: value for name, value in run.summary.items() if isinstance(value, str | int | float)}
    return card(
        "Run",
        f"{run.number}, {run.kind}",
        [
            ("paradigm", run.paradigm),
            ("state", run.state),
            ("trials planned", run.n_trials_planned),
            ("decoder", run.decoder_sha256[:12]),
            *plain.items(),
        ],
    )


def decoder_card(decoder: FittedDecoder) -> str:
    """A fitted decoder, with the figures of its own cross-validation."""
    n, correct = decoder.metrics.get("n"), decoder.metrics.get("correct")
    return card(
        "Decoder",
        f"{decoder.name} {decoder.sha256[:12]}",
        [
            ("recordings", len(decoder.recordings)),
            ("held-out periods right", f"{correct} of {n}" if n else ""),
            ("chance limit", decoder.metrics.get("chance_limit")),
            ("validation", decoder.metrics.get("validation")),
            ("fitted", decoder.fitted_at),
        ],
    )


def register_cards() -> None:
    """Have a notebook show runs and fitted decoders as cards."""
    register(Run, run_card)
    register(FittedDecoder, decoder_card)
