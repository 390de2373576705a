"""The Denoise page without a browser: controls, links, figures, and what it says when something is missing or broken."""

import itertools
import json
import re

import numpy as np
import pytest
import streamlit as st
from shown import ShownPage, as_text, frame_pages

from cae_core import datasets, metrics, runs
from cae_core.config import BOTTLENECKS, BOUNDS, SHIPPED_LOSSES
from cae_core.corruptions import CORRUPTIONS, corrupt
from cae_core.inference import reconstruction
from cae_core.losses import LOSSES
from cae_core.pretrained import EPOCHS, TRAINED_ON
from pages.parts.common.words import text as words_of
from pages.parts.denoise import first_look, metric_table
from pages.parts.runs import settings_table
from pages.parts.session.setting import text

DEFAULTS = {
    "dataset": "strokes", "noise_kind": "gaussian", "noise_factor": 0.5, "trained_on": "mixed", "bottleneck": 32,
    "loss": "bce", "both_losses": False, "seed": 0,
}  # fmt: skip
OTHERS = {
    "noise_kind": "occlusion", "noise_factor": 0.85, "trained_on": "clean", "bottleneck": 4, "loss": "mse",
    "both_losses": True, "seed": 1234,
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
    page = Shown(**{**OTHERS, "seed": 3, "bottleneck": 16, "trained_on": "mixed", "both_losses": False})
    test = datasets.load("strokes", "test")
    shown = page.row("clean")[..., :1]
    for digit, image in enumerate(shown):  # ten different classes, in order, all from the test split
        assert (test.x[test.y == digit] == image).all(axis=(1, 2, 3)).any()
    x = shown / np.float32(255)
    x_noisy = corrupt(x, "occlusion", OTHERS["noise_factor"], 3)
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


def measured_on_all(dataset, trained_on, bottleneck):
    """Of both networks, by loss, what their files say of the whole test set."""
    folders = {loss: runs.PRETRAINED_DIR / f"{dataset}-b{bottleneck}-{loss}-{trained_on}" for loss in SHIPPED_LOSSES}
    return {loss: json.loads((path / "run.json").read_text(encoding="utf-8"))["metrics"] for loss, path in folders.items()}


def both_networks(dataset, trained_on, bottleneck):
    return [runs.find(f"{dataset}-b{bottleneck}-{loss}-{trained_on}") for loss in SHIPPED_LOSSES]


def test_a_loss_is_said_to_win_its_own_game_only_where_it_does():
    wrong = []
    for which in itertools.product(EPOCHS, TRAINED_ON, BOTTLENECKS):
        files, sentences = measured_on_all(*which), settings_table.winners(both_networks(*which))
        for condition, words in (("clean", "**Clean**: "), ("gaussian 0.5", "**Noise 0.5**: ")):
            four = {(net, of): float(f"{files[net][condition][of]:.3e}") for net in SHIPPED_LOSSES for of in SHIPPED_LOSSES}
            mse_wins = four["mse", "mse"] < four["bce", "mse"], four["mse", "bce"] < four["bce", "bce"]
            bce_wins = four["bce", "mse"] < four["mse", "mse"], four["bce", "bce"] < four["mse", "bce"]
            sentence = sentences.partition(words)[2].partition(".")[0]
            expected = {
                "each loss wins its own game": mse_wins[0] and bce_wins[1],
                "each loss wins the other's game": bce_wins[0] and mse_wins[1],
                "the network trained with MSE wins both": all(mse_wins),
                "the network trained with BCE wins both": all(bce_wins),
            }
            wrong += [(which, condition, sentence)] * (expected != {name: name == sentence for name in expected})
    assert wrong == []


def test_the_figures_that_decide_which_loss_wins_stand_on_the_page():
    page = Shown(bottleneck=8, trained_on="clean", noise_factor="0.35", both_losses=True)
    files = measured_on_all("strokes", "clean", 8)
    for words, condition in (("clean", "clean"), ("noise 0.5", "gaussian 0.5")):
        for of in SHIPPED_LOSSES:
            values = [files[loss][condition][of] for loss in SHIPPED_LOSSES]
            cells = page.tables[1][f"{of.upper()} {words}"]
            assert [float(cell.split()[0]) for cell in cells] == [float(f"{value:.3e}") for value in values]
            assert ["best" in cell for cell in cells] == [value == min(values) for value in values]
    assert "Whole test set, 5,000 images" in page.html
    assert settings_table.winners(both_networks("strokes", "clean", 8)) in page.text
    assert "Whole test set" not in Shown().html


def test_both_losses_stand_side_by_side_and_are_those_shown_alone():
    alone = {loss: Shown(loss=loss) for loss in SHIPPED_LOSSES}
    both = Shown().set(both_losses=True)
    assert (len(both.alts), len(both.tables[0])) == (6, 3)
    for loss, page in alone.items():
        trained = f"reconstructed, trained with {LOSSES[loss].label}"
        np.testing.assert_array_equal(both.row(trained), page.row("reconstructed"))
        (cells,) = [cells for label, cells in both.tables[0].items() if LOSSES[loss].label in label]
        assert cells == page.tables[0]["Reconstructed"]


def test_new_images_are_the_next_sample_and_after_the_last_comes_the_first():
    page = Shown()
    first = page.row("clean")
    page.click("New images")
    assert page.values == {**DEFAULTS, "seed": 1}
    assert not np.array_equal(page.row("clean"), first)
    page.set(seed=9999).click("New images")
    assert page.values["seed"] == 0
    np.testing.assert_array_equal(page.row("clean"), first)


def test_link_sets_every_control_and_shows_what_setting_them_by_hand_shows():
    by_hand = Shown().set(**OTHERS)
    link = by_hand.query
    assert link == {**{key: as_text(value) for key, value in by_hand.values.items()}, "run": ""}
    by_link = Shown(**link)
    assert by_link.values == {"dataset": "strokes", **OTHERS}
    assert by_link.troubles == []
    assert (by_link.alts, by_link.tables, by_link._html.images) == (by_hand.alts, by_hand.tables, by_hand._html.images)
    by_link.set(**{key: value for key, value in DEFAULTS.items() if key != "dataset"})  # every link can be left
    assert by_link.values == DEFAULTS
    np.testing.assert_array_equal(by_link.row("reconstructed"), Shown().row("reconstructed"))


def test_many_wrong_parts_make_one_warning_naming_each_until_something_is_changed():
    page = Shown(dataset="x", noise_kind="y", noise_factor="2", bottleneck="5", loss="z", seed="-1", extra="1")
    (warning,) = page.run().messages("warning")
    for part in ("'x'", "'y'", "noise_factor", "'5'", "'z'", "seed", "'extra'"):
        assert part in warning
    assert page.values == DEFAULTS
    assert len(page.alts) == 4
    assert page.set(bottleneck=8).messages("warning") == page.set(bottleneck=32).messages("warning") == []


def test_markup_in_a_link_stays_text_however_long(asked_hosts):
    script, image = "<script>alert(1)</script>", "![x](http://elsewhere.example/x.png)"
    page = Shown(**{"loss": script, "noise_factor": image, script: "<img src=x>", "seed": "9" * 20_000, "q" * 20_000: "1"})
    (warning,) = page.app.warning
    for sign in "<>[]()!":  # every one that means something in Markdown or HTML stands behind a backslash
        assert warning.value.count(sign) == warning.value.count("\\" + sign) > 0
    assert len(warning.value) < 2000
    assert not {"script", "iframe"} & page.tags
    assert "elsewhere" not in "".join(element.value for element in page.app.html)
    assert (page.values, asked_hosts) == (DEFAULTS, [])


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
    assert f"{label} could not be downloaded" in error
    assert "name resolution" in error
    assert "\n" not in error
    assert page.set(dataset="strokes").messages("error") == []
    assert len(page.alts) == 4
    assert len(page.click("Download MNIST").messages("error")) == 1
    assert len(page.alts) == 4


@pytest.mark.parametrize("link", [{}, {"dataset": "mnist"}])
def test_damaged_data_file_is_named(link, tmp_path, monkeypatch, forget_data, asked_hosts):
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path))
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 this is not an archive")
    page = Shown(**link)
    (error,) = page.messages("error")
    assert error.startswith("mnist.npz cannot be used")
    assert page.alts == []
    assert page.set(dataset="strokes").messages("error") == []
    assert len(page.alts) == 4
    assert asked_hosts == []


def edited(change):
    """Damage to run.json: the text after a change to what it holds."""
    return "run.json", lambda whole: json.dumps({**json.loads(whole), **change}).encode()


ONLY = "strokes-b32-bce-mixed"
DAMAGES = {
    "empty": ("weights.npz", lambda whole: b""),
    "cut": ("weights.npz", lambda whole: whole[:5000] + whole[5100:]),
    "config": ("run.json", lambda whole: whole.replace(b'"bottleneck": 32', b'"bottleneck": "many"')),
    "metrics": edited({"metrics": {"clean": {"mse": "low"}}}),
    "shape": edited({"image_shape": [32, 32, 3]}),
    "unmeasured": edited({"metrics": {}}),
    "missing": ("run.json", lambda whole: whole),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_or_missing_network_is_named_and_the_rest_is_shown(kind, tmp_path, monkeypatch):
    folder = tmp_path / "pretrained" / ONLY
    folder.mkdir(parents=True)
    file, damage = DAMAGES[kind]
    for part in (runs.PRETRAINED_DIR / ONLY).iterdir():
        content = part.read_bytes()
        (folder / part.name).write_bytes(damage(content) if part.name == file else content)
    monkeypatch.setattr(runs, "PRETRAINED_DIR", folder.parent)
    page = Shown(bottleneck=2 if kind == "missing" else 32)
    if kind == "missing":
        assert "strokes-b2-bce-mixed" in page.messages("error")[0]
        page.set(bottleneck=32)
    if kind in ("missing", "unmeasured"):
        assert (page.messages("error"), len(page.alts)) == ([], 4)
        return
    (error,) = page.messages("error")
    assert ONLY in error
    assert "damaged" in error
    assert kind not in ("empty", "cut") or f"python -m cae_core pretrain {ONLY}" in error
    assert str(folder.parent) not in error
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


def test_navigation_goes_from_looking_over_training_to_ones_own_drawing():
    pages = ["Denoise", "Train", "Runs", "Latent", "Draw", "Architectures", "Reproduce", "Stacked", "Colour", "Teach"]
    assert list(frame_pages().values()) == pages


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
