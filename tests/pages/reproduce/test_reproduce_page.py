"""The Reproduce page without a browser: what it says of every claim, and running cards again."""

import json
import re
import time
from dataclasses import replace

import pytest
from claims import answer, asked
from shown import ShownReproduce

from cae_core import runs
from cae_core.jobs import scheduling
from cae_core.reproduction import measure, own_runs, results
from cae_core.reproduction.registry import CARDS
from cae_core.reproduction.results import Result
from pages.parts.reproduce import claims_view
from pages.parts.reproduce.questions import QUESTIONS

PUBLISHED, OWN = 18, 29  # figures that are held against something
LAYERS = {"as published": (30.0,), "layer by layer first": (27.27,), "PCA, 2 components": (43.64,)}


class Shown(ShownReproduce):
    """One visitor's Reproduce page."""

    def rows(self, label):
        """Cells of every table's row with this label, top to bottom."""
        return [row[1:] for row in self._html.table if row[0] == label]


@pytest.fixture(autouse=True)
def shipped_file(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "reproductions.json")
    return tmp_path / "reproductions.json"


@pytest.fixture
def tiny_mnist(few_of, background):
    background()  # where finished cards are measured
    measure.forget()
    with few_of("mnist", 260, 60):
        yield
    measure.forget()


def ship(name, share=1.0, **values):
    """Ships a card's result with every value at this share of its figure, or with these values."""
    card = CARDS[name]
    shared = {claim.label: ((claim.figure or 10.0) * share,) * card.seeds for claim in card.claims}
    versions = {"python": "3.11.7"}
    results.ship(name, Result(values or shared, 60.0, "2026-11-22", versions, f"python -m cae_core reproduce {name}"))


def test_without_results_every_claim_is_not_run_yet_and_without_mnist_nothing_can_be():
    page = Shown()
    assert page.facts == {
        "Published: held": f"0 of {PUBLISHED} figures", "Published: better": "0", "Published: missed": "0",
        "Own: met": f"0 of {OWN}", "Own: missed": "0", "Not run yet": str(PUBLISHED + OWN),
    }  # fmt: skip
    published, own = page.html.partition("This project’s own")[::2]
    assert (published.count('class="claim"'), own.count('class="claim"')) == (PUBLISHED, OWN)
    assert "dot reproduced" not in page.html
    assert page.troubles == []
    assert page.rows("30 components") == [["13.87 published", "– not run"]]
    assert "No result for this card ships with the app yet" in page.text
    assert page.query == {"card": ""}
    assert "To run any of this yourself, MNIST has to be on this machine" in page.text
    assert page.labelled("Download MNIST")
    starts = [button.disabled for button in page.app.button if button.label.startswith("Run ")]
    assert starts == [True] * len(CARDS)
    page.set(asked="no_training").press("try_no_training")  # whose figures do not ship
    assert page.query["card"] == QUESTIONS["no_training"].settings["card"]


def test_every_verdict_is_said_in_words_and_counted():
    for name, share in (("pca", 1.0), ("keras_clean", 0.9), ("keras_blog", 1.2), ("thirty", 0.99)):
        ship(name, share)
    page = Shown()
    assert list(page.facts.values()) == ["1 of 18 figures", "2", "1", "8 of 29", "1", "34"]
    assert page.rows("30 components") == [["13.87 published", "13.87 ✓ reproduced, 0.0 %"]]
    assert page.rows("32 components") == [["13.19 measured here", "13.19 ✓ met, 0.0 %"]]
    assert page.rows("after 50 epochs") == [
        ["0.0622 published", "0.0560 ▼ better, −10 %"], ["0.0900 published", "0.1080 ✗ missed, +20 %"],
    ]  # fmt: skip
    assert page.rows("the same with Muon") == [["0.0900 to be met", "0.1080 ✗ missed, +20 %"]]
    assert page.rows("fast, 30 numbers") == [["2.30 to be met", "2.28 ± 0.00 ✓ met, −1.0 %"]]
    assert 'aria-label="after 50 epochs: missed, +20 %"' in page.html
    assert "with 3 seeds: the mean, and ± the standard deviation" in page.text
    assert "Shipped: made on 2026-11-22, trained in 60 s; python 3.11.7." in page.text
    assert "python -m cae_core reproduce keras_clean" in [code.value for code in page.app.code]
    figure = json.loads(page.app.get("plotly_chart")[0].proto.spec)
    assert [trace["name"] for trace in figure["data"]] == ["shipped", "measured here", "published"]


def test_picture_holds_every_card_and_what_is_off_the_scale_is_an_arrow_at_its_end():
    for share, mark in ((1.29, ""), (0.69, " before"), (40.0, " after")):
        ship("keras_clean", share)
        assert re.findall(r'class="dot( \w+)? (?:better|missed)"', Shown().html) == [mark] * 2
    assert min(1 - card.tolerance for card in CARDS.values()) > claims_view.LOW
    assert max(1 + card.tolerance for card in CARDS.values()) < claims_view.HIGH
    assert set(claims_view.MARKS) >= set(claims_view.SHOWN)


def test_comparisons_take_the_place_of_figures_and_what_is_lacking_is_not_run():
    ship("dense_linear_2d", **LAYERS)
    ship("conv_resize", conv_resize=(0.02,), dense_denoise=(0.01,))
    ship("pca", **{"2 components": (43.0,), "of another version": (1.0,)})
    page = Shown()
    assert page.rows("layer by layer first")[-1] == ["none; to be less than “as published”", "27.27 ✓ met, −9.1 %"]
    assert page.rows("conv_resize") == [["none; to be less than “dense_denoise”", "0.0200 ✗ missed, +100 %"]]
    assert page.rows("dense_denoise") == [["none", "0.0100"]]
    assert 'aria-label="conv_resize &lt; dense_denoise: missed, +100 %"' in page.html
    assert page.rows("2 components") == [["43.64 measured here", "43.00 ✓ met, −1.5 %"]]
    assert page.rows("4 components") == [["37.56 measured here", "– not run"]]
    ship("conv_resize", conv_resize=(0.02,))
    assert page.run().rows("conv_resize") == [["none; to be less than “dense_denoise”", "0.0200"]]


def test_a_damaged_file_is_one_sentence_and_a_link_chooses_the_first_card(shipped_file):
    shipped_file.write_text('{"pca": {"values": 3}}', encoding="utf-8")
    page = Shown(card="conv_unpool", length="5")
    wrong, damaged = page.messages("warning")
    assert "There is no setting 'length'" in wrong
    assert "reproductions.json is damaged (" in damaged
    assert page.facts["Not run yet"] == str(PUBLISHED + OWN)
    assert page.heads[0] == CARDS["conv_unpool"].label
    assert sorted(page.heads) == sorted(card.label for card in CARDS.values())
    assert page.query == {"card": "conv_unpool"}


@pytest.mark.usefixtures("tiny_mnist")
def test_a_card_is_run_and_its_figures_stand_beside_the_shipped_ones(monkeypatch):
    card = CARDS["dense_linear_2d"]
    short = {name: replace(run, epochs=1, pretraining=min(1, run.pretraining)) for name, run in card.runs.items()}
    monkeypatch.setitem(CARDS, "dense_linear_2d", replace(card, runs=short))
    ship("dense_linear_2d", **LAYERS)
    page, end = Shown().press("run_dense_linear_2d"), time.monotonic() + 300
    while (now := own_runs.look("dense_linear_2d", page.owner)).state != "done":
        assert time.monotonic() < end, now
        time.sleep(0.05)
    page.run()
    shipped, mine = page.rows("layer by layer first")[-1][1:]
    assert shipped == "27.27 ✓ met, −9.1 %"
    assert re.fullmatch(r"\d+\.\d\d [✓✗] (met|missed), [+−]?[\d.]+ %", mine)
    assert len(page.rows("PCA, 2 components")[0]) == 3
    assert not page.has("run_dense_linear_2d")
    names = ",".join(run.name for run in own_runs.look("dense_linear_2d", page.owner).finished.values())
    assert page.links["See the runs"] == ("runs", {"runs": names})
    assert len(Shown("somebody else").rows("as published")[0]) == 2


@pytest.mark.usefixtures("tiny_mnist")
def test_it_can_be_stopped_and_what_refuses_it_is_said(held, monkeypatch):
    monkeypatch.setattr(scheduling, "MOST_OF_ONE", 1)
    page = Shown().press("run_keras_noise")
    assert len(held.queue()) == 2
    assert "Run 1 of 2: waiting" in page.text
    assert page.has("stop_keras_clean")  # which needs one of the two
    page.press("run_dense")
    assert page.messages("error") == [
        "You have 1 runs in the queue, the most one visitor may: wait for one, or withdraw one."
    ]
    page.press("stop_keras_noise")
    assert held.queue() == []
    assert page.press("run_dense").messages("error") == []
    assert len(held.queue()) == 2


@pytest.fixture
def means(monkeypatch):
    """By card and claim, what ships."""
    monkeypatch.setattr(results, "SHIPPED", runs.PRETRAINED_DIR / "reproductions.json")
    shipped, _ = results.shipped()
    assert all(any(sign.isdigit() for sign in question.measured({})) for question in QUESTIONS.values())
    return {name: result.means for name, result in shipped.items()}


def test_eight_at_once(means):
    figures = {claim.label: claim.figure for claim in CARDS["pca"].claims}
    assert all(means["pca"][label] == pytest.approx(figure, rel=0.005) for label, figure in figures.items())
    ratio = means["pca"]["30 components"] / figures["30 components"]
    by_seed = results.shipped()[0]["dense"].values["PCA, 128 components"]
    answer(QUESTIONS["eight_at_once"], abs(ratio - 1) < 0.005, ratio < 0.98, len(set(by_seed)) > 1)


@pytest.fixture
def of_2006(means):
    """The published figure of the network of 2006, and ours: pretrained, and at once by Adam and by Muon."""
    (figure,) = (claim.figure for claim in CARDS["hinton_rbm"].claims if claim.is_published)
    first, adam = means["hinton_rbm"]["Boltzmann machines first"], means["hinton_unaided"]["whole network, Adam"]
    return figure, first, adam, means["hinton"]["whole network at once"]


def test_figure_of_2006(means, of_2006):
    figure, _, *at_once = of_2006
    question = asked(QUESTIONS["figure_of_2006"], "Adam ends at {:.2f}, and Muon at {:.2f}".format(*at_once))
    best = min(at_once)
    answer(question, abs(best / figure - 1) < 0.1, best < 0.9 * figure, best > 1.1 * figure)
    assert means["thirty"]["fast, 30 numbers"] < 2.3


def test_machines_first(of_2006):
    figure, first, adam, muon = of_2006
    question = asked(QUESTIONS["machines_first"], f"by Adam, the network of 2006 ends at {adam:.2f}")
    answer(question, abs(first / adam - 1) < 0.1, first < figure, first > 1.1 * adam)
    assert muon - adam > adam - first  # "the larger part of the way"


def test_layer_by_layer(means):
    first, at_once, pca = (
        means["dense_linear_2d"][label] for label in ("layer by layer first", "as published", "PCA, 2 components")
    )
    answer(QUESTIONS["layer_by_layer"], first < 0.97 * at_once, at_once < 0.97 * first, abs(first / at_once - 1) < 0.03)
    assert max(first, at_once) < 0.7 * pca


def test_no_training(means):
    network, pca = (means["dense"][label] for label in ("as published", "PCA, 128 components"))
    answer(QUESTIONS["no_training"], pca > 1.1 * network, 0.9 < network / pca < 1.1, network > 7 * pca)


def test_many_codes(means):
    bounds = [means["vae_binary"][label] for label in ("trained with 1, measured with 1", "trained with 1 code")]
    one, many = bounds
    answer(QUESTIONS["many_codes"], many < one - 0.5, abs(many - one) <= 0.5, many > one + 0.5)
    published = [claim.figure for claim in CARDS["vae_binary"].claims if claim.is_published]
    assert one - many > published[0] - published[1]
