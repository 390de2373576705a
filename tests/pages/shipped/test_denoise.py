"""The Denoise page without a browser: controls, links, figures, and what it says when something is missing or broken."""

import itertools
import json
import re
import shutil

import numpy as np
import pytest
import streamlit as st
from shown import ShownPage, as_text

from cae_core import datasets, metrics, runs
from cae_core.config import BOTTLENECKS, BOUNDS, SHIPPED_LOSSES
from cae_core.corruptions import CORRUPTIONS, corrupt
from cae_core.inference import reconstruction
from cae_core.losses import LOSSES
from cae_core.pretrained import EPOCHS, TRAINED_ON, name_of
from pages.parts.common.words import text as words_of
from pages.parts.denoise import first_look, metric_table
from pages.parts.runs import settings_table
from pages.parts.session.setting import text

DEFAULTS = {
    "dataset": "strokes", "noise_kind": "gaussian", "noise_factor": 0.5, "trained_on": "mixed", "bottleneck": 32,
    "loss": "bce", "both_losses": False, "seed": 0,
}  # fmt: skip


class Shown(ShownPage):
    """One visitor's Denoise page."""

    @property
    def values(self):
        """What the controls stand at."""
        return {key: self.widget(key).value for key in DEFAULTS}

    @property
    def tables(self):
        """The table of figures, a line of MSE, PSNR, SSIM, BCE for each row; that of the whole test set, a cell a loss."""
        heads = [place for place, row in enumerate(self._html.table) if row[0] == ""]
        spans = zip(heads, [*heads[1:], None], strict=True)
        return [{row[0]: row[1:] for row in self._html.table[a + 1 : b]} for a, b in spans]


def grey(x):
    """Images in [0, 1] as the picture shows them, `(10, 28, 28, 3)` uint8."""
    return np.broadcast_to(np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8), (*x.shape[:3], 3))


def check_cells(cells, x, x_hat):
    """Each number is the metric's, rounded to the digits that are shown, and there are at least two of them."""
    figures = metrics.per_image(x, x_hat)
    for cell, name in zip(cells, ("mse", "psnr", "ssim", "bce"), strict=True):
        number = cell.split()[0]
        digits = len(number.partition(".")[2])
        assert digits >= 1
        assert float(number) == pytest.approx(figures[name].mean(), abs=0.5001 * 10**-digits)


def test_opens_with_the_defaults_and_offers_what_the_core_allows(asked_hosts):
    page = Shown()
    assert page.values == DEFAULTS
    assert page.labels[0].startswith("Clean")
    assert (len(page.alts), page.waiting, page.troubles, asked_hosts) == (4, 0, [], [])
    assert page.widget("dataset").options == [datasets.DATASETS[name].label for name in datasets.GREY]
    kinds = [entry.label for kind, entry in CORRUPTIONS.items() if kind != "none"]
    assert page.widget("noise_kind").options == kinds
    slider, bounds = page.widget("noise_factor"), BOUNDS["noise_factor"]
    assert (slider.min, slider.max, slider.step) == (bounds.low, bounds.high, 0.05)
    assert page.widget("bottleneck").options == [str(size) for size in BOTTLENECKS]
    assert page.widget("loss").options == [LOSSES[name].label for name in SHIPPED_LOSSES]
    assert len(page.widget("trained_on").options) == len(TRAINED_ON)


def test_each_control_changes_what_it_must_and_nothing_else():
    def rows():
        words = {"clean": "clean", "noisy": "noise,", "reconstructed": "reconstructed"}
        return {name: page.row(word) for name, word in words.items() if any(word in alt for alt in page.alts)}

    page = Shown()
    after, cells = rows(), page.tables
    for key, value, changes in (
        ("noise_kind", "blur", {"noisy", "reconstructed"}),
        ("noise_factor", 0.55, {"noisy", "reconstructed"}),
        ("trained_on", "clean", {"reconstructed"}),
        ("bottleneck", 128, {"reconstructed"}),
        ("loss", "mse", {"reconstructed"}),
        ("seed", 7, {"clean", "noisy", "reconstructed"}),
        ("noise_factor", 0.0, {"noisy", "reconstructed"}),
    ):
        before, table = after, cells
        page.set(**{key: value})
        after, cells = rows(), page.tables
        assert {name for name in before if not np.array_equal(before[name], after.get(name))} == changes, key
        assert cells != table, key
        assert page.query[key] == text(value)


def test_pictures_and_figures_are_those_of_the_run():
    link = {**DEFAULTS, "noise_kind": "occlusion", "noise_factor": 0.85, "bottleneck": 16, "loss": "mse", "seed": 3}
    page = Shown(**link)
    assert page.values == link
    assert page.query == {**{key: as_text(value) for key, value in link.items()}, "run": ""}
    test = datasets.load("strokes", "test")
    shown = page.row("clean")[..., :1]
    for digit, image in enumerate(shown):  # ten different classes, in order, all from the test split
        assert (test.x[test.y == digit] == image).all(axis=(1, 2, 3)).any()
    x = shown / np.float32(255)
    x_noisy = corrupt(x, "occlusion", 0.85, 3)
    x_hat = runs.model(runs.read(runs.PRETRAINED_DIR / "strokes-b16-mse-mixed")).reconstruct(x_noisy)
    np.testing.assert_array_equal(page.row("noise,"), grey(x_noisy))
    np.testing.assert_array_equal(page.row("reconstructed"), grey(x_hat))
    noisy, reconstructed = page.tables[0].values()
    check_cells(noisy, x, x_noisy)
    check_cells(reconstructed, x, x_hat)
    assert page.alts[2] == f"10 images, reconstructed, trained with MSE, mean squared error {np.mean((x_hat - x) ** 2):.4f}"
    assert "**16** numbers" in page.text
    assert "**49 times** smaller" in page.text


def test_error_row_is_black_where_nothing_is_wrong_and_the_brighter_the_larger_the_error():
    page = Shown(noise_factor="1")
    error = np.abs(page.row("reconstructed").astype(int) - page.row("clean"))[..., 0]
    brightness = page.row("absolute error").astype(int).sum(axis=-1)
    assert (brightness[error == 0] < 30).all()
    means = [group.mean() for group in (brightness[error // 32 == i] for i in range(8)) if len(group)]
    assert len(means) >= 3
    assert (np.diff(means) > 0).all()


@pytest.mark.parametrize(("kind", "losses"), [("gaussian", 2), ("blur", 1)])
def test_without_noise_no_row_is_noisy_and_nothing_is_held_against_the_clean_images(kind, losses, monkeypatch):
    offered = []
    monkeypatch.setattr(st, "download_button", lambda label, make, **more: offered.append(make))
    page = Shown(noise_kind=kind, noise_factor=0, both_losses=losses == 2)
    assert [label[:5] for label in page.labels] == ["Clean", *["Recon"] * losses, *["Absol"] * losses]
    assert len(page.tables[0]) == losses
    for cells in page.tables[0].values():
        assert all(re.fullmatch(r"\d+\.\d+", cell) for cell in cells)  # no change against what is no "before"
    figure = {}
    monkeypatch.setattr("cae_core.figures.pictures.labelled_png", lambda *parts: figure.update(parts=parts) or b"")
    offered[0]()
    _, labels, title, caption = figure["parts"]
    assert not [part for part in (*labels, title, caption) if "Noisy" in part]
    assert len(labels) == 1 + 2 * losses


def networks(dataset, trained_on, bottleneck):
    """Both networks that ship, by loss."""
    return {loss: runs.find(name_of(dataset, bottleneck, loss, trained_on)) for loss in SHIPPED_LOSSES}


def test_a_loss_is_said_to_win_its_own_game_only_where_it_does():
    wrong = []
    for which in itertools.product(EPOCHS, TRAINED_ON, BOTTLENECKS):
        both = networks(*which)
        for condition, words in (("clean", "**Clean**: "), ("gaussian 0.5", "**Noise 0.5**: ")):
            shown = {loss: {of: float(f"{run.metrics[condition][of]:.3e}") for of in both} for loss, run in both.items()}
            mse_wins = [shown["mse"][of] < shown["bce"][of] for of in ("mse", "bce")]
            bce_wins = [shown["bce"][of] < shown["mse"][of] for of in ("mse", "bce")]
            sentence = settings_table.winners([*both.values()]).partition(words)[2].partition(".")[0]
            expected = {
                "each loss wins its own game": mse_wins[0] and bce_wins[1],
                "each loss wins the other's game": bce_wins[0] and mse_wins[1],
                "the network trained with MSE wins both": all(mse_wins),
                "the network trained with BCE wins both": all(bce_wins),
            }
            wrong += [(which, condition, sentence)] * (expected != {name: name == sentence for name in expected})
    assert wrong == []


def test_both_losses_stand_side_by_side_with_the_figures_that_decide_which_wins():
    page, both = (
        Shown(bottleneck=8, trained_on="clean", noise_factor="0.35", both_losses=True),
        networks("strokes", "clean", 8),
    )
    assert (len(page.alts), len(page.tables[0])) == (6, 3)
    assert "Whole test set, 5,000 images" in page.html
    assert settings_table.winners([*both.values()]) in page.text
    for (words, condition), of in itertools.product((("clean", "clean"), ("noise 0.5", "gaussian 0.5")), SHIPPED_LOSSES):
        values = [run.metrics[condition][of] for run in both.values()]
        cells = page.tables[1][f"{of.upper()} {words}"]
        assert [float(cell.split()[0]) for cell in cells] == [float(f"{value:.3e}") for value in values]
        assert ["best" in cell for cell in cells] == [value == min(values) for value in values]
    pictures, figures = page._html.images, page.tables[0]
    page.set(both_losses=False)
    assert "Whole test set" not in page.html
    for loss in SHIPPED_LOSSES:
        page.set(loss=loss)
        assert page._html.images.items() <= pictures.items()
        (cells,) = [cells for label, cells in figures.items() if LOSSES[loss].label in label]
        assert cells == page.tables[0]["Reconstructed"]


def test_new_images_are_the_next_sample_and_after_the_last_comes_the_first():
    page = Shown(seed=9999)
    page.click("New images")
    assert page.values == DEFAULTS
    page.click("New images")
    assert page.values == {**DEFAULTS, "seed": 1}


def test_what_is_wrong_in_a_link_is_one_warning_in_which_markup_stays_text_until_something_is_changed(asked_hosts):
    script, image = "<script>alert(1)</script>", "![x](http://elsewhere.example/x.png)"
    page = Shown(**{"loss": script, "noise_factor": image, script: "<img src=x>", "seed": "9" * 20_000, "q" * 20_000: "1"})
    (warning,) = page.run().app.warning
    shown = page.messages("warning")[0].replace("\u2060", "")
    assert [part for part in (script, image, "seed is '999", "setting 'qqq") if part not in shown] == []
    for sign in "<>[]()!":  # every one that means something in Markdown or HTML stands behind a backslash
        assert warning.value.count(sign) == warning.value.count("\\" + sign) > 0
    assert len(warning.value) < 2000
    assert not {"script", "iframe"} & page.tags
    assert "elsewhere" not in "".join(element.value for element in page.app.html)
    assert (page.values, len(page.alts), asked_hosts) == (DEFAULTS, 4, [])
    assert page.set(bottleneck=8).messages("warning") == page.set(bottleneck=32).messages("warning") == []


def test_missing_data_set_is_offered_and_fetched_only_when_asked(asked_hosts, forget_data):
    assert "because MNIST is not on this machine" in Shown().text
    page, label = Shown(dataset="fashion_mnist"), datasets.DATASETS["fashion_mnist"].label
    assert (page.alts, page.values["dataset"]) == ([], "fashion_mnist")
    assert f"{label} was not found" in page.text
    assert re.fullmatch(rf"Download {label} \(\d+ MB\)", page.labelled("Download").label)
    page.run()
    assert asked_hosts == []
    page.click("Download")
    assert asked_hosts == ["storage.googleapis.com"]
    (error,) = page.messages("error")
    assert re.fullmatch(rf"{label} could not be downloaded.*name resolution.*", error)  # in a line
    assert page.set(dataset="strokes").messages("error") == []
    assert len(page.alts) == 4


def test_damaged_data_file_is_named(tmp_path, monkeypatch, forget_data, asked_hosts):
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path))
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 this is not an archive")
    page = Shown()  # opens with MNIST, for its file is there
    (error,) = page.messages("error")
    assert error.startswith("mnist.npz cannot be used")
    assert page.alts == []
    assert page.set(dataset="strokes").messages("error") == []
    assert (len(page.alts), asked_hosts) == (4, [])


ONLY = "strokes-b32-bce-mixed"
DAMAGES = {
    "cut": ("weights.npz", lambda whole: whole[:5000] + whole[5100:]),
    "config": ("run.json", lambda whole: whole.replace(b'"bottleneck": 32', b'"bottleneck": "many"')),
    "unmeasured": ("run.json", lambda whole: json.dumps({**json.loads(whole), "metrics": {}}).encode()),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_or_missing_network_is_named_and_the_rest_is_shown(kind, tmp_path, monkeypatch):
    folder = tmp_path / "pretrained"
    shutil.copytree(runs.PRETRAINED_DIR / ONLY, folder / ONLY)
    file, damage = DAMAGES[kind]
    (folder / ONLY / file).write_bytes(damage((folder / ONLY / file).read_bytes()))
    monkeypatch.setattr(runs, "PRETRAINED_DIR", folder)
    page = Shown(bottleneck=2)
    assert "strokes-b2-bce-mixed" in page.messages("error")[0]
    page.set(bottleneck=32)
    if kind == "unmeasured":
        assert (page.messages("error"), len(page.alts)) == ([], 4)
        return
    (error,) = page.messages("error")
    assert f"{ONLY}" in error
    assert "damaged" in error
    assert kind != "cut" or f"python -m cae_core pretrain {ONLY}" in error
    assert str(folder) not in error
    assert [alt.partition(",")[2].split()[0] for alt in page.alts] == ["clean", "gaussian"]
    assert (len(page.tables[0]), page.waiting) == (1, 0)


def test_the_first_look_says_each_word_once_and_shows_the_code_of_its_image():
    page = ShownPage(dataset="strokes", noise_factor=0, bottleneck=8, loss="mse", trained_on="clean")
    sentences = words_of("first_look").strip()
    assert re.findall(r"\*\*(.+?)\*\*", sentences) == ["autoencoder", "code", "bottleneck", "latent space", "loss", "noise"]
    assert sentences in [element.value.strip() for element in page.app.markdown]
    (flow,) = [element.value for element in page.app.html if element.value.startswith('<div class="flow"')]
    bars = np.array([float(z) for z in re.findall(r"--z: (-?[\d.]+)", flow)])
    x = reconstruction.sample("strokes", "none", 0, 0).x[first_look.WHICH][None]
    z = runs.model(runs.find("strokes-b8-mse-clean")).encode(x)[0]
    np.testing.assert_allclose(bars, z / np.abs(z).max(), atol=0.006)
    assert "8 numbers" in flow


@pytest.mark.parametrize(
    ("name", "before", "after", "more_is_better", "told"),
    [
        ("mse", 0.04, 0.01, False, ' <small class="better">−75 %</small>'),
        ("mse", 0.01, 0.02, False, ' <small class="">+100 % worse</small>'),
        ("psnr", 10.0, 12.0, True, ' <small class="better">+2.0 dB</small>'),
        ("ssim", 0.5, 0.4, True, ' <small class="">−0.100 worse</small>'),
        ("bce", 0.3, 0.3, False, ' <small class="">+0 %</small>'),
    ],
)
def test_a_change_is_better_or_worse_by_its_metric(name, before, after, more_is_better, told):
    assert metric_table._change(name, before, after, more_is_better) == told
