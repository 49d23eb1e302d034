"""A paddle, a cuff of skin electrodes and their limits, such as tests of stimulation use."""

from __future__ import annotations

from typing import Any

from workbench.stimulation import (
    Channel,
    ElectrodeLimits,
    Programme,
    Setup,
    Signature,
    SignedLimits,
    StimulationSupervisor,
    Wearer,
    from_definition,
)

PADDLE: dict[str, Any] = {
    "format": 1,
    "electrode": "paddle-16",
    "version": 1,
    "title": "16-contact lumbar epidural paddle, 1.5 × 4 mm",
    "site": "epidural",
    "contacts": 16,
    "area_cm2": 0.06,
    "window_s": 60.0,
    "limits": {
        "current_ma": 8.0,
        "width_us": 400.0,
        "rate_hz": 130.0,
        "charge_uc": 1.8,
        "density_uc_cm2": 30.0,
        "shannon_k": 1.75,
        "pulses_per_s": 130.0,
        "net_dc_na": 100.0,
        "slew_ma_s": 100.0,
        "ceiling_step_ma": 0.1,
        "ceiling_rise_per_s": 0.1,
        "duty": 0.5,
        "burst_s": 10.0,
        "refractory_s": 0.5,
        "dose_session_uc": 2000.0,
        "dose_day_uc": 5000.0,
        "impedance_most_ohm": 2000.0,
        "impedance_least_ohm": 100.0,
        "impedance_change": 0.3,
        "compliance_v": 12.0,
        "watchdog_s": 0.25,
        "delivery_tolerance": 0.1,
    },
}


def definition(**changes: Any) -> dict[str, Any]:
    """The definition of the paddle with other parts; ``limits`` says what differs, None leaves one out."""
    limits = {**PADDLE["limits"], **changes.pop("limits", {})}
    return {**PADDLE, **changes, "limits": {k: v for k, v in limits.items() if v is not None}}


LEAD_MAP: dict[str, Any] = {
    "plan": {"electrode": "paddle-16", "lead": "lead", "width_us": 300.0, "muscles": ["left quadriceps"]},
    "contacts": [
        {"contact": 0, "currents_ma": [1.0, 2.0], "response_uv": [[10.0], [400.0]], "second_uv": [[9.0], [40.0]],
         "ended": "top", "said": ""},
    ],
    "skipped": {str(n): "not needed" for n in range(1, 16)},
    "hot_spots": [
        {"muscle": "left quadriceps", "contact": 0, "current_ma": 2.0, "selectivity": 0.9, "origin": "reflex"}
    ],
    "charge_uc": {"0": 12.0},
    "minutes": 2.0,
}  # fmt: skip
"""A map of the paddle: contact 0 measured, all others left out."""


def limits(**changes: Any) -> ElectrodeLimits:
    return from_definition(definition(**changes))


def signed(one: ElectrodeLimits, *people: str) -> SignedLimits:
    """Signed by these people, the first an investigator."""
    roles = ["investigator"] + ["engineer"] * 9
    stamps = tuple(Signature(name, role, "2026-11-26T08:00:00Z", one.sha256) for name, role in zip(people, roles))
    return SignedLimits(one, stamps)


HIP = Channel("left hip", "paddle-16", "lead", (3,), (11,), approved_ma=5.0, width_us=300.0, rate_hz=60.0)
KNEE = Channel("right knee", "paddle-16", "lead", (5, 6), (13,), approved_ma=4.0, width_us=300.0, rate_hz=60.0)

GAIT = Programme("gait", (HIP, KNEE), needs_support=True, support_kg=10.0, latency_s=0.15, release_s=0.5)
LYING = Programme("lying", (HIP, KNEE), latency_s=0.15, release_s=0.5)


def supervisor(
    programme: Programme = LYING, *, lesion: str = "T10", earlier: dict[tuple[str, int], float] | None = None,
    references: dict[tuple[str, int], float] | None = None, measured: bool = True, **changes: Any,
) -> StimulationSupervisor:  # fmt: skip
    """A supervisor at time 0, with the impedances measured."""
    setup = Setup(
        programme, (signed(limits(**changes), "chen", "lin"),), Wearer(lesion),
        earlier_uc=tuple((earlier or {}).items()), references_ohm=tuple((references or {}).items()),
    )  # fmt: skip
    made = StimulationSupervisor(setup)
    if measured:
        measure(made, 0.0)
    made.tick(0.0)
    return made


def measure(one: StimulationSupervisor, now: float, ohm: float = 1000.0) -> None:
    places = {(channel.lead, contact): ohm for channel in one.programme.channels for contact in channel.contacts}
    one.telemetry.take_impedances(places, now=now)


def rules(verdict: Any) -> list[str]:
    return [finding.rule for finding in verdict.findings]
