"""What a notebook shows of an object: escaped, of one style, without a colour of its own."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from IPython.core.interactiveshell import InteractiveShell

import workbench as wb
from workbench import outcomes
from workbench.html_repr import card
from workbench.study import Verification
from workbench.study.cards import decoder_card, register_cards, run_card
from workbench.vocabulary import FittedDecoder, Run

HOSTILE = '<script>alert("x")</script>&'


class Texts(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data + " "


def shown(html):
    page = Texts()
    page.feed(html)
    page.close()
    return page


@pytest.fixture(scope="module")
def objects(sample_folder):
    items = {item.code: 2 for item in outcomes.load("arat").definition.items} | {"grip_2": None}
    with wb.open_study(sample_folder) as study:
        run_file = wb.RunFile(study.recordings().file[0])
        yield {
            "Study": (study, "Sample study"),
            "RunFile": (run_file, "8 channels at 500 Hz"),
            "Score": (wb.score("arat", items), "18 of 19 items"),
            "Verification": (study.verify(), "the record holds"),
            "Evaluation": (wb.evaluate(run_file, "bandpower_lda"), "chance limit"),
        }


@pytest.mark.parametrize("name", ["Study", "RunFile", "Score", "Verification", "Evaluation"])
def test_an_object_shows_what_it_is_on_one_card_without_a_colour_of_its_own(objects, name):
    one, words = objects[name]
    check_card(one._repr_html_(), words)


def check_card(html, words):
    assert words in shown(html).text
    assert set(shown(html).tags) <= {"div", "span", "b", "table", "tr", "th", "td"}
    assert not re.search(r"#[0-9a-f]{3,6}|rgb\(", html, re.IGNORECASE)


def test_a_notebook_shows_runs_and_decoders_of_the_record_as_cards(objects):
    shell = InteractiveShell.instance()
    try:
        register_cards()
        study = objects["Study"][0]
        for table, words in (("run", "calibration"), ("decoder", "bandpower_lda")):
            content, _ = shell.display_formatter.format(study.nouns(table)[0])
            check_card(content["text/html"], words)
    finally:
        InteractiveShell.clear_instance()


def words(html):
    return " ".join(shown(html).text.split())


def test_a_card_has_the_figures_that_are_known_and_no_line_for_others():
    metrics = {"n": 40, "correct": 31, "chance_limit": 26, "validation": "by periods"}
    fitted = FittedDecoder("a" * 64, "riemann_mdm", "p", ("r1", "r2"), metrics=metrics)
    start = "Decoder riemann_mdm aaaaaaaaaaaa recordings 2"
    assert words(decoder_card(fitted)) == (
        f"{start} held-out periods right 31 of 40 chance limit 26 validation by periods"
    )
    assert words(decoder_card(FittedDecoder("a" * 64, "riemann_mdm", "p", ("r1", "r2")))) == start
    run = Run("s", 1, "online", "grasp_rest", "finished", n_trials_planned=8, summary={"hits": 3, "each": [1]})
    assert words(run_card(run)) == "Run 1, online paradigm grasp_rest state finished trials planned 8 hits 3"


def test_every_text_is_escaped():
    html = card(HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], remarks=[HOSTILE], simulated=True)
    assert "script" not in shown(html).tags
    assert shown(html).text.count(HOSTILE) == 5


@pytest.mark.parametrize(
    "html",
    [
        run_card(Run("s", 1, HOSTILE, HOSTILE, "finished", summary={HOSTILE: HOSTILE})),
        decoder_card(FittedDecoder("a" * 64, HOSTILE, "p", (), metrics={"n": 1, "correct": HOSTILE})),
        Verification(
            ok=False, problems=(HOSTILE,), warnings=(HOSTILE,), checked={HOSTILE: 1}, head=(0, "")
        )._repr_html_(),
    ],
    ids=["run", "decoder", "verification"],
)
def test_a_text_of_the_record_is_never_markup(html):
    assert "script" not in shown(html).tags


def test_what_is_simulated_says_so(objects):
    for name in ("Study", "RunFile", "Evaluation"):
        assert "simulated" in shown(objects[name][0]._repr_html_()).text
