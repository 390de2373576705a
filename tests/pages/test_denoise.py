"""The Denoise page without a browser: controls, links, figures, and what it says when something is missing or broken."""

import itertools
import json
import re
from urllib.parse import parse_qs

import numpy as np
import pytest
import streamlit as st
from shown import Shown, frame_pages

from cae_core import datasets, runs
from cae_core.config import BOTTLENECKS, BOUNDS, SHIPPED_LOSSES
from cae_core.corruptions import CORRUPTIONS, corrupt
from cae_core.losses import LOSSES
from cae_core.pretrained import EPOCHS, TRAINED_ON
from pages.parts.common.experiment import EXPERIMENTS
from pages.parts.denoise import metric_table
from pages.parts.runs import settings_table

DEFAULTS = {
    "dataset": "strokes",
    "noise_kind": "gaussian",
    "noise_factor": 0.5,
    "trained_on": "mixed",
    "bottleneck": 32,
    "loss": "bce",
    "both_losses": False,
    "seed": 0,
}
OTHERS = {
    "noise_kind": "occlusion",
    "noise_factor": 0.85,
    "trained_on": "clean",
    "bottleneck": 4,
    "loss": "mse",
    "both_losses": True,
    "seed": 1234,
}
NOISES = [kind for kind in CORRUPTIONS if kind != "none"]


def as_link(settings):
    return {key: {True: "on", False: "off"}.get(value, str(value)) for key, value in settings.items()}


def grey(x):
    """Images in [0, 1] as the picture shows them, `(10, 28, 28, 3)` uint8."""
    return np.broadcast_to(np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8), (*x.shape[:3], 3))


def figures(x, x_hat):
    """MSE, PSNR, SSIM and BCE by their definitions, one image at a time."""
    at = np.arange(11) - 5
    window = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    each = []
    for a, b in zip(x[..., 0].astype(float), x_hat[..., 0].astype(float), strict=True):
        error = np.mean((a - b) ** 2)
        p = np.clip(b, 1e-7, 1 - 1e-7)
        u, v = (np.lib.stride_tricks.sliding_window_view(image, (11, 11)) for image in (a, b))
        mean = [(window * w).sum((2, 3)) for w in (u, v)]
        var = [(window * (w - m[..., None, None]) ** 2).sum((2, 3)) for w, m in zip((u, v), mean, strict=True)]
        cov = (window * (u - mean[0][..., None, None]) * (v - mean[1][..., None, None])).sum((2, 3))
        similarity = (2 * mean[0] * mean[1] + 1e-4) * (2 * cov + 9e-4)
        similarity /= (mean[0] ** 2 + mean[1] ** 2 + 1e-4) * (var[0] + var[1] + 9e-4)
        each.append([
            error,
            -10 * np.log10(max(error, 1e-10)),
            similarity.mean(),
            -np.mean(a * np.log(p) + (1 - a) * np.log(1 - p)),
        ])  # fmt: skip
    return np.mean(each, axis=0)


def check_cells(cells, expected):
    """Each number is the expected one, rounded to the digits that are shown, and there are at least two of them."""
    assert len(cells) == 4
    for cell, value in zip(cells, expected, strict=True):
        number = cell.split()[0]
        digits = len(number.partition(".")[2])
        assert digits >= 1
        assert float(number) == pytest.approx(value, abs=0.5001 * 10**-digits)


def test_opens_with_the_defaults_and_without_a_download(asked_hosts):
    page = Shown()
    assert page.values == DEFAULTS
    assert page.labels[0].startswith("Clean")
    assert len(page.alts) == 4
    assert page.waiting == 0
    assert page.messages("warning") == page.messages("error") == []
    assert asked_hosts == []


def test_controls_offer_what_the_core_allows():
    page = Shown()
    assert page.widget("dataset").options == [datasets.DATASETS[name].label for name in datasets.GREY]
    assert page.widget("noise_kind").options == [CORRUPTIONS[kind].label for kind in NOISES]
    slider, bounds = page.widget("noise_factor"), BOUNDS["noise_factor"]
    assert (slider.min, slider.max, slider.step) == (bounds.low, bounds.high, 0.05)
    assert page.widget("bottleneck").options == [str(size) for size in BOTTLENECKS]
    assert page.widget("loss").options == [LOSSES[name].label for name in SHIPPED_LOSSES]
    assert len(page.widget("trained_on").options) == len(TRAINED_ON)
    seed = page.widget("seed")
    assert (seed.min, seed.max, seed.step) == (0, 9999, 1)


def test_each_control_changes_what_it_must_and_nothing_else():
    def rows():
        words = {"clean": "clean", "noisy": "noise,", "reconstructed": "reconstructed"}
        return {name: page.row(word) for name, word in words.items() if any(word in alt for alt in page.alts)}

    page = Shown()
    after, cells = rows(), page.table
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
        after, cells = rows(), page.table
        assert {name for name in before if not np.array_equal(before[name], after.get(name))} == changes, key
        assert cells != table, key
        assert parse_qs(page.address)[key] == [str(value) if value else "0"]


@pytest.mark.parametrize("kind", ["gaussian", "occlusion"])
def test_pictures_and_figures_are_those_of_the_run(kind):
    settings = {**OTHERS, "noise_kind": kind, "seed": 3, "bottleneck": 16, "trained_on": "mixed", "both_losses": False}
    page = Shown(**as_link(settings))
    test = datasets.load("strokes", "test")

    shown = page.row("clean")[..., :1]
    for digit, image in enumerate(shown):  # ten different classes, in order, all from the test split
        assert (test.x[test.y == digit] == image).all(axis=(1, 2, 3)).any()
    x = shown / np.float32(255)
    x_noisy = corrupt(x, kind, settings["noise_factor"], settings["seed"])
    x_hat = runs.model(runs.read(runs.PRETRAINED_DIR / "strokes-b16-mse-mixed")).reconstruct(x_noisy)

    np.testing.assert_array_equal(page.row("noise,"), grey(x_noisy))
    np.testing.assert_array_equal(page.row("reconstructed"), grey(x_hat))
    noisy, reconstructed = page.table.values()
    check_cells(noisy, figures(x, x_noisy))
    check_cells(reconstructed, figures(x, x_hat))
    mse = np.mean((x_hat.astype(float) - x) ** 2)
    assert float(page.alts[2].rpartition(" ")[2]) == pytest.approx(mse, abs=0.5001e-4)
    assert page.alts[2].startswith("10 images, reconstructed, trained with MSE")


def test_error_row_is_black_where_nothing_is_wrong_and_the_brighter_the_larger_the_error():
    page = Shown(noise_factor="1")
    error = np.abs(page.row("reconstructed").astype(int) - page.row("clean"))[..., 0]
    brightness = page.row("absolute error").astype(int).sum(axis=-1)
    assert (brightness[error == 0] < 30).all()
    groups = [brightness[error // 32 == i] for i in range(8)]
    means = [group.mean() for group in groups if len(group)]
    assert len(means) >= 3
    assert (np.diff(means) > 0).all()


@pytest.mark.parametrize(("kind", "both"), [("gaussian", "on"), ("blur", "off")])
def test_without_noise_no_row_is_noisy_and_nothing_is_held_against_the_clean_images(kind, both, monkeypatch):
    offered = []
    monkeypatch.setattr(st, "download_button", lambda label, make, **more: offered.append(make))
    page = Shown(noise_kind=kind, noise_factor="0", both_losses=both)
    losses = 2 if both == "on" else 1
    assert [label[:5] for label in page.labels] == ["Clean", *["Recon"] * losses, *["Absol"] * losses]
    assert len(page.table) == losses
    for cells in page.table.values():
        assert all(re.fullmatch(r"\d+\.\d+", cell) for cell in cells)  # no change against what is no "before"
        assert float(cells[1]) < 50  # decibels
    figure = {}
    monkeypatch.setattr("cae_core.figures.pictures.labelled_png", lambda *parts: figure.update(parts=parts) or b"")
    offered[0]()
    _, labels, title, caption = figure["parts"]
    assert not [part for part in (*labels, title, caption) if "Noisy" in part]
    assert len(labels) == 1 + 2 * losses


def measured_on_all(dataset, trained_on, bottleneck):
    """Of both networks, by loss, what their files say of the whole test set."""
    folders = {loss: runs.PRETRAINED_DIR / f"{dataset}-b{bottleneck}-{loss}-{trained_on}" for loss in SHIPPED_LOSSES}
    return {
        loss: json.loads((folder / "run.json").read_text(encoding="utf-8"))["metrics"] for loss, folder in folders.items()
    }


def test_a_loss_is_said_to_win_its_own_game_only_where_it_does():
    wrong = []
    for dataset, trained_on, bottleneck in itertools.product(EPOCHS, TRAINED_ON, BOTTLENECKS):
        both = [runs.find(f"{dataset}-b{bottleneck}-{loss}-{trained_on}") for loss in SHIPPED_LOSSES]
        files = measured_on_all(dataset, trained_on, bottleneck)
        text = settings_table.winners(both)
        for condition, words in (("clean", "**Clean**: "), ("gaussian 0.5", "**Noise 0.5**: ")):
            four = {(net, of): float(f"{files[net][condition][of]:.3e}") for net in SHIPPED_LOSSES for of in SHIPPED_LOSSES}
            mse_wins = four["mse", "mse"] < four["bce", "mse"], four["mse", "bce"] < four["bce", "bce"]
            bce_wins = four["bce", "mse"] < four["mse", "mse"], four["bce", "bce"] < four["mse", "bce"]
            sentence = text.partition(words)[2].partition(".")[0]
            expected = {
                "each loss wins its own game": mse_wins[0] and bce_wins[1],
                "each loss wins the other's game": bce_wins[0] and mse_wins[1],
                "the network trained with MSE wins both": all(mse_wins),
                "the network trained with BCE wins both": all(bce_wins),
            }
            wrong += [(both, condition, sentence)] * (expected != {name: name == sentence for name in expected})
    assert wrong == []


def test_the_figures_that_decide_which_loss_wins_stand_on_the_page():
    for bottleneck in (8, 16):  # at 8 each wins its own game; at 16 one wins both, to the fourth digit
        page = Shown(bottleneck=str(bottleneck), trained_on="clean", noise_factor="0.35", both_losses="on")
        files = measured_on_all("strokes", "clean", bottleneck)
        for line, condition, of in (
            ("MSE clean", "clean", "mse"), ("BCE clean", "clean", "bce"),
            ("MSE noise 0.5", "gaussian 0.5", "mse"), ("BCE noise 0.5", "gaussian 0.5", "bce"),
        ):  # fmt: skip
            values = [files[loss][condition][of] for loss in SHIPPED_LOSSES]
            cells = page.whole_test_set[line]
            assert [float(cell.split()[0]) for cell in cells] == [float(f"{value:.3e}") for value in values]
            assert ["best" in cell for cell in cells] == [value == min(values) for value in values]
        assert "Whole test set, 5,000 images" in page.html
        assert (
            settings_table.winners([runs.find(f"strokes-b{bottleneck}-{loss}-clean") for loss in SHIPPED_LOSSES])
            in page.text
        )
    assert "Whole test set" not in Shown().html


def test_says_how_much_smaller_the_code_is():
    for bottleneck in (2, 64):
        page = Shown(bottleneck=str(bottleneck))
        assert f"**{bottleneck}** numbers" in page.text
        times = float(page.text.partition(" times** smaller")[0].rpartition("**")[2])
        assert times == pytest.approx(784 / bottleneck, rel=0.005)


def test_both_losses_stand_side_by_side_and_are_those_shown_alone():
    alone = {loss: Shown(loss=loss) for loss in SHIPPED_LOSSES}
    both = Shown().set(both_losses=True)
    assert len(both.alts) == 6
    assert len(both.table) == 3
    for loss, page in alone.items():
        trained = f"reconstructed, trained with {LOSSES[loss].label}"
        np.testing.assert_array_equal(both.row(trained), page.row("reconstructed"))
        (cells,) = [cells for label, cells in both.table.items() if LOSSES[loss].label in label]
        assert cells == page.table["Reconstructed"]


def test_new_images_are_the_next_sample_and_after_the_last_comes_the_first():
    page = Shown()
    first = page.row("clean")
    page.click("New images")
    assert page.values == {**DEFAULTS, "seed": 1}
    assert not np.array_equal(page.row("clean"), first)
    page.set(seed=9999)
    page.click("New images")
    assert page.values["seed"] == 0
    np.testing.assert_array_equal(page.row("clean"), first)


def test_link_sets_every_control_and_shows_what_setting_them_by_hand_shows():
    by_hand = Shown().set(**OTHERS)
    link = {key: values[0] for key, values in parse_qs(by_hand.address).items()}
    assert link == as_link(by_hand.values)
    by_link = Shown(**link)
    assert by_link.values == {"dataset": "strokes", **OTHERS}
    assert by_link.messages("warning") == []
    assert by_link.alts == by_hand.alts
    assert by_link.table == by_hand.table
    for alt in by_hand.alts:
        np.testing.assert_array_equal(by_link.row(alt), by_hand.row(alt))
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
    assert page.set(bottleneck=8).messages("warning") == []
    assert page.set(bottleneck=32).messages("warning") == []


def test_markup_in_a_link_stays_text_however_long(asked_hosts):
    script, image = "<script>alert(1)</script>", "![x](http://elsewhere.example/x.png)"
    page = Shown(**{"loss": script, "noise_factor": image, script: "<img src=x>", "seed": "9" * 20_000, "q" * 20_000: "1"})
    (warning,) = page.app.warning
    for sign in "<>[]()!":  # every one that means something in Markdown or HTML stands behind a backslash
        assert warning.value.count(sign) == warning.value.count("\\" + sign) > 0
    assert len(warning.value) < 2000
    assert not {"script", "iframe"} & page.tags
    assert "elsewhere" not in "".join(element.value for element in page.app.html)
    assert page.values == DEFAULTS
    assert asked_hosts == []


def test_try_this_sets_the_controls_and_says_what_to_look_for():
    page = Shown(**as_link({"noise_kind": "occlusion", "noise_factor": 0.35, "seed": 11}))
    assert not [e for e in EXPERIMENTS.values() if e.look_for in page.text]
    for experiment in EXPERIMENTS.values():
        page.click(experiment.title)
        set_by_it = {key: value for key, value in experiment.settings.items() if key != "run"}
        assert page.values == {**DEFAULTS, "seed": 11, **set_by_it}
        assert [e for e in EXPERIMENTS.values() if e.look_for in page.text] == [experiment]
        assert page.messages("error") == []
    assert experiment.look_for not in page.set(noise_factor=0.65).text


def test_missing_data_set_is_offered_and_fetched_only_when_asked(asked_hosts, forget_data):
    dataset = "fashion_mnist"
    page = Shown(dataset=dataset)
    label = datasets.DATASETS[dataset].label
    assert page.alts == []
    assert f"{label} was not found" in page.text
    assert page.values["dataset"] == dataset
    assert label in page.labelled("Download").label
    assert "MB" in page.labelled("Download").label
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


def test_strokes_say_that_mnist_is_not_there(asked_hosts):
    page = Shown()
    assert "because MNIST is not on this machine" in page.text
    assert asked_hosts == []
    page.click("Download MNIST")
    assert len(page.messages("error")) == 1
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


def only_run(tmp_path, monkeypatch, name="strokes-b32-bce-mixed"):
    """A copy of one shipped run, as the only one that ships; returns its folder."""
    folder = tmp_path / "pretrained" / name
    folder.mkdir(parents=True)
    for file in (runs.PRETRAINED_DIR / name).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path / "pretrained")
    return folder


def check_named(page, *words):
    (error,) = page.messages("error")
    for word in words:
        assert word in error
    assert str(runs.PRETRAINED_DIR) not in error
    assert [alt.partition(",")[2].split()[0] for alt in page.alts] == ["clean", "gaussian"]
    assert len(page.table) == 1
    assert page.waiting == 0


@pytest.mark.parametrize("damage", [b"", lambda whole: whole[:5000] + whole[5100:]])
def test_damaged_weights_are_named_and_the_rest_is_shown(damage, tmp_path, monkeypatch):
    folder = only_run(tmp_path, monkeypatch)
    assert len(Shown().alts) == 4
    file = folder / "weights.npz"
    file.write_bytes(damage(file.read_bytes()) if callable(damage) else damage)
    check_named(Shown(), f"{folder.name}/{file.name} is damaged", "python -m cae_core pretrain strokes-b32-bce-mixed")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"bottleneck": 32', '"bottleneck": "many"'),
        lambda text: json.dumps({**json.loads(text), "metrics": {"clean": {"mse": "low"}}}),
        lambda text: json.dumps({**json.loads(text), "image_shape": [32, 32, 3]}),
    ],
)
def test_damaged_description_of_a_run_is_named(change, tmp_path, monkeypatch):
    folder = only_run(tmp_path, monkeypatch)
    file = folder / "run.json"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    check_named(Shown(), folder.name, "damaged")


def test_run_without_measurements_is_shown_all_the_same(tmp_path, monkeypatch):
    file = only_run(tmp_path, monkeypatch) / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), "metrics": {}}), encoding="utf-8")
    page = Shown()
    assert page.messages("error") == []
    assert len(page.alts) == 4


def test_missing_run_is_named_and_another_works(tmp_path, monkeypatch):
    only_run(tmp_path, monkeypatch)
    page = Shown(bottleneck="2")
    check_named(page, "strokes-b2-bce-mixed")
    page.set(bottleneck=32)
    assert page.messages("error") == []
    assert len(page.alts) == 4


def test_page_is_whole_before_the_network_is_there(monkeypatch):
    monkeypatch.setattr("cae_core.runtime.ready", lambda timeout=0.0: False)
    page = Shown(both_losses="on")
    assert [alt.partition(",")[2].split()[0] for alt in page.alts] == ["clean", "gaussian"]
    assert page.waiting == 4
    assert len(page.labels) == 6
    assert len(page.table) == 3
    assert not page.app.download_button


def test_navigation_goes_from_looking_over_training_to_ones_own_drawing():
    pages = ["Denoise", "Train", "Runs", "Latent", "Draw", "Architectures", "Reproduce", "Stacked", "Colour"]
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
