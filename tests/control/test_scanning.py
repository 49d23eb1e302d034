"""One switch: what it may do, how a false click is taken back, how it arms, and that it always stops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.control import ARMS, HOLD_S, SCANNED, Scanner, ScanSettings
from workbench.errors import BadValue
from workbench.stress.scanning import Switch, scanned

DWELL = 2.0


def scanner(*acts, at=0, **settings):
    """A scanner whose draws all give the same number, as far as there are as many places."""
    made = Scanner(ScanSettings(**settings), lambda n: min(at, n - 1), at_s=0.0)
    made.show(acts or ("start", "help", "repeat"), at_s=0.0)
    return made


def kinds(said):
    return [(one.kind, one.act) for one in said]


def click(made, at_s):
    return [*made.press(at_s), *made.release(at_s + 0.1)]


def test_what_a_switch_may_do_is_a_closed_list_without_consent_signature_approval_or_reset():
    made = scanner()
    for act in ("consent", "sign", "signature", "approve", "reset", "adopt", "back_to_site", "attend", ""):
        assert act not in SCANNED
        with pytest.raises(BadValue, match="one switch never does"):
            made.show((act, "help"), at_s=0.0)
    assert made.places == ("start", "help", "repeat")


def test_the_frame_stands_for_one_dwell_on_each_place_and_begins_again():
    made = scanner("finish", "help", "repeat", dwell_s=DWELL)
    seen = []
    for at in (0.0, 1.9, 2.0, 4.1, 6.0):
        made.advance(at)
        seen.append(made.lit())
    assert seen == [("finish",), ("finish",), ("help",), ("repeat",), ("finish",)]


def test_a_choice_takes_effect_after_a_step_and_a_press_in_it_takes_it_back():
    made = scanner("finish", "help")
    assert click(made, 0.5) == []
    assert made.lit() == ()
    assert made.taking == "finish"
    assert kinds(made.advance(2.5)) == [("chosen", "finish")]
    click(made, 3.0)
    assert kinds(click(made, 4.0)) == [("taken_back", "finish")]
    assert kinds(made.advance(4.9 + HOLD_S)) == []
    assert made.state == "scanning"


@pytest.mark.parametrize("first", range(3))
def test_arming_takes_two_presses_at_different_places_and_a_step_in_which_nobody_takes_it_back(first):
    made = scanner(at=first)
    place = made.places.index("start")
    assert kinds(click(made, DWELL * place + 0.5)) == [("asks_again", "start")]
    again = made.places.index("start")
    assert again != place
    assert set(made.places) == {"start", ""}
    now = DWELL * place + 0.5 + DWELL * again + 0.5
    assert click(made, now) == []
    assert kinds(made.advance(now + DWELL - 0.01)) == []
    assert kinds(made.advance(now + DWELL)) == [("armed", "start")]


def test_a_press_beside_it_no_press_and_a_press_afterwards_arm_nothing():
    made = scanner(at=0)
    click(made, 0.5)
    beside = DWELL * made.places.index("") + 0.7
    assert kinds(click(made, beside)) == [("not_asked", "start")]
    click(made, beside + 0.5)
    asked = made.advance(beside + 0.5 + 4 * DWELL)
    assert kinds(asked) == [("not_asked", "start")]
    assert made.state == "scanning"


def test_any_press_stops_a_glove_that_moves_and_one_that_is_closed_when_it_begins_does_too():
    for early in (False, True):
        made = scanner("finish", "help")
        said = made.press(1.0) if early else []
        said += made.glove(moves=True, at_s=1.5)
        if not early:
            assert (said, made.lit()) == ([], ())
            said = made.press(7.25)
        assert [(one.kind, one.at_s, one.why) for one in said] == [("stop", 1.5 if early else 7.25, "pressed")]


def test_after_a_stop_the_switch_calls_for_help_and_does_nothing_else_until_somebody_resets_it():
    made = scanner()
    made.glove(moves=True, at_s=0.0)
    click(made, 1.0)
    made.reset(at_s=1.2)
    assert made.state == "stopped"
    assert kinds(click(made, 1.4)) == [("stop", "")], (
        "the glove still moves: nothing is reset, and a press is STOP"
    )
    for moves in (False, True, False):
        assert made.glove(moves=moves, at_s=2.0) == []
    made.show(("start", "repeat"), at_s=2.0)
    assert (made.state, made.places) == ("stopped", ("help",))
    assert kinds(click(made, 3.0)) == [("chosen", "help")]
    assert kinds(made.advance(60.0)) == []
    made.reset(at_s=61.0)
    assert (made.state, made.places) == ("scanning", ("start", "repeat"))


def test_nothing_takes_effect_while_the_switch_is_closed_and_a_stop_is_told_as_long_as_it_is_held():
    made = scanner("finish", "help", dwell_s=1.0)
    assert made.press(0.5) == []
    assert [(one.kind, one.at_s) for one in made.advance(5.0)] == [("stop", 2.5), ("stop", 4.5)]
    made.release(5.0)
    assert kinds(made.advance(50.0)) == []


def test_a_row_is_taken_first_and_left_again_when_nothing_of_it_is():
    made = scanner("connect", "help", "repeat", "finish", "language", layout="rows", columns=3)
    assert made.lit() == ("connect", "help", "repeat")
    click(made, 2.5)
    assert made.lit() == ("finish",)
    made.advance(2.5 + 2 * DWELL)
    assert made.lit() == ("connect", "help", "repeat")
    click(made, 7.0)
    click(made, 7.0 + DWELL + 0.1)
    assert kinds(made.advance(20.0)) == [("chosen", "help")]


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"dwell_s": 0.9}, "lasts 1 to 5 s, got 0.9"),
        ({"dwell_s": float("nan")}, "got nan"),
        ({"layout": "spiral"}, "linear or by rows"),
        ({"places": 2}, "3 places or more"),
        ({"passes": 0}, "once or more"),
    ],
)
def test_a_setting_outside_its_range_is_refused(given_, sentence):
    with pytest.raises(BadValue, match=sentence):
        ScanSettings(**given_)


def test_time_that_falls_and_a_screen_without_acts_or_with_one_twice_are_refused():
    made = scanner()
    made.advance(5.0)
    for wrong in (4.9, float("nan"), float("inf")):
        with pytest.raises(BadValue, match="only rises"):
            made.advance(wrong)
    for acts in ((), ("help", "help")):
        with pytest.raises(BadValue, match="each once"):
            made.show(acts, at_s=5.0)


SCREENS = st.lists(st.sampled_from(SCANNED), min_size=1, max_size=6, unique=True)
ACTS = st.one_of(
    st.tuples(st.just("wait"), st.floats(0.0, 4.0)),
    st.sampled_from([("press",), ("release",), ("click",), ("reset",), ("glove", True), ("glove", False)]),
    st.tuples(st.just("show"), SCREENS),
)


class Watched:
    """A scanner, and what must hold whatever happens to it."""

    def __init__(self, settings, draws):
        self.scanner = Scanner(settings, lambda n: draws.draw(st.integers(0, n - 1)), at_s=0.0)
        self.scanner.show(("start", "help", "repeat"), at_s=0.0)
        self.now, self.pressed, self.presses, self.moving = 0.0, None, [], False
        self.shown, self.stopped = {"start", "help", "repeat"}, False

    def told(self, said):
        for one in said:
            if one.kind == "stop":
                self.stopped = True
            elif one.kind == "chosen":
                assert one.act in ({"help"} if self.stopped else self.shown)
                assert one.act not in ARMS
            elif one.kind == "armed":
                assert not self.stopped
                (_, first, place), (at, second, other) = self.presses[-2:]
                assert (first, second) == ("start", "start")
                assert place != other
                assert one.at_s >= at + self.scanner.settings.dwell_s
        assert (self.scanner.state == "stopped") == self.stopped

    def wait(self, seconds):
        self.now += seconds
        said = self.scanner.advance(self.now)
        self.told(said)
        if self.pressed is not None and self.now >= self.pressed + HOLD_S:
            assert "stop" in [one.kind for one in said]
            self.pressed += HOLD_S * int((self.now - self.pressed) / HOLD_S)

    def press(self):
        closed, lit = self.pressed is not None, self.scanner.lit()
        place = self.scanner.places.index(lit[0]) if lit else -1
        if not closed:
            # Rows take two presses for one act; the row alone is none.
            if len(lit) == 1:
                self.presses.append((self.now, lit[0], place))
            self.pressed = self.now
        said = self.scanner.press(self.now)
        if self.moving and not closed:
            assert [one.kind for one in said] == ["stop"]
        self.told(said)

    def release(self):
        self.told(self.scanner.release(self.now))
        self.pressed = None

    def click(self):
        self.press()
        self.wait(0.1)
        self.release()

    def reset(self):
        said = self.scanner.reset(at_s=self.now)
        # A STOP that falls due in that moment was seen by nobody, and stays.
        self.stopped = self.stopped and (self.moving or any(one.kind == "stop" for one in said))
        self.told(said)

    def glove(self, moves):
        said = self.scanner.glove(moves=moves, at_s=self.now)
        self.moving = moves
        self.told(said)

    def show(self, acts):
        self.told(self.scanner.show(acts, at_s=self.now))
        self.shown = set(acts)


@given(
    settings=st.builds(
        ScanSettings, dwell_s=st.floats(1.0, 5.0), layout=st.sampled_from(["linear", "rows"]),
        columns=st.integers(1, 3), places=st.integers(3, 5), passes=st.integers(1, 2),
    ),
    acts=st.lists(ACTS, max_size=40), draws=st.data(),
)  # fmt: skip
def test_whatever_is_pressed_a_stop_stops_and_arming_took_two_presses_at_two_places(settings, acts, draws):
    watched = Watched(settings, draws)
    for name, *arguments in acts:
        getattr(watched, name)(*arguments)


def test_a_reset_ends_no_stop_that_falls_due_in_the_same_moment():
    scanner = Scanner(ScanSettings(), lambda n: 0, at_s=0.0)
    scanner.show(("start", "help"), at_s=0.0)
    scanner.press(0.0)
    said = scanner.reset(at_s=HOLD_S)
    assert [one.kind for one in said] == ["stop"]
    assert scanner.state == "stopped"
    scanner.release(HOLD_S)
    assert scanner.reset(at_s=HOLD_S) == []
    assert scanner.state == "scanning"


def test_days_of_a_noisy_switch_are_completed_and_what_false_clicks_arm_is_counted():
    figures = scanned(20, 1, hours=1.0)
    assert figures.passed
    assert [len(day.seconds) for day in figures.days] == [5] * 20
    assert sum(sum(day.seconds) for day in figures.days) > sum(sum(day.ideal_s) for day in figures.days)
    assert figures.armings > 0, "a switch that clicks by itself arms now and then, which is why the rate is told"
    quiet = scanned(3, 1, switch=Switch(false=0.0), hours=1.0)
    assert quiet.armings == 0
    assert "0 in 3 h of scanning, 0.00 an hour (95 % CI 0.00–1.23)" in quiet.text()
    assert scanned(3, 1, hours=0.1).text() == scanned(3, 1, hours=0.1).text()
