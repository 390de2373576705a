"""Links, without drawing a page: every wrong part is named with what is allowed, and the rest is used."""

import importlib
from types import SimpleNamespace

import pytest
from shown import frame_pages

from pages.parts.session import state

WRONG = {
    "denoise": [
        ("dataset", "letters", "choose one of mnist, fashion_mnist, strokes"),
        ("noise_kind", "gausian", "Did you mean 'gaussian'?"),
        ("noise_kind", "none", "choose one of gaussian"),
        ("noise_factor", "7", "from 0 to 1"),
        ("noise_factor", "-0.01", "from 0 to 1"),
        ("noise_factor", "nan", "from 0 to 1"),
        ("noise_factor", "1e999", "from 0 to 1"),
        ("noise_factor", "", "from 0 to 1"),
        ("bottleneck", "3", "choose one of 2, 4, 8, 16, 32, 64, 128"),
        ("loss", "BCE", "choose one of bce, mse"),
        ("both_losses", "yes", "choose one of off, on"),
        ("trained_on", "../../etc/passwd", "choose one of clean, mixed"),
        ("seed", "10000", "a whole number from 0 to 9999"),
        ("seed", "0.5", "a whole number from 0 to 9999"),
        ("botleneck", "8", "Did you mean 'bottleneck'?"),
        ("_page", "denoise", "There is no setting '_page'"),
        ("guess", "nonsense", "'nonsense'"),
        ("guess", "two_numbers.5", "two_numbers with '5'; an answer is a number from 1 to 4, or skip"),
        ("guess", "two_numbers.", "two_numbers with ''"),
        ("guess", "two_numbers.<b>", "'<b>'"),
        ("guess", ".1", "guess"),
    ],
    "train": [
        ("architecture", "fats", "Did you mean 'fast'?"),
        ("bottleneck", "0", "from 1 to 1024"),
        ("learning_rate", "0", "from 1e-06 to 1"),
        ("learning_rate", "nan", "from 1e-06 to 1"),
        ("epochs", "0", "from 1 to 1000"),
        ("epochs", "2.5", "a whole number"),
        ("batch_size", "1e9", "from 1 to 4096"),
        ("num_train", "99", "from 100 to 60000"),
        ("fork", "../../etc/passwd", "cannot name a run"),
        ("fork", "one,two", "fork names 2 runs; it may name at most 1"),
        ("fork_step", "-1", "a whole number"),
        ("epoch", "3", "Did you mean 'epochs'?"),
        ("title", "mine", "There is no setting 'title'"),
        ("loss", "<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
    "latent": [
        ("spot", "1", "two for each"),
        ("spot", "1,2,3,4", "two for each"),
        ("spot", "inf,0", "must be a number"),
        ("spot", "1e9,0", "must be a number"),
        ("area", "a,b,c,d", "must be a number"),
        ("path", ",".join("11" * 30), "up to 20 places"),
        ("image", "-1", "from 0 to 9999"),
        ("image", "1.5", "whole number"),
        ("components", "1-1", "choose one of"),
        ("move_1", "5", "from -4 to 4"),
        ("points", "7", "choose one of"),
        ("run", "../x", "cannot name a run"),
        ("temperature", "4.1", "from 0 to 4"),
        ("drawn_from", "priors", "Did you mean 'prior'"),
        ("draw_seed", "-1", "a whole number from 0 to 9999"),
        ("sample", "101", "a whole number from 1 to 100"),
        ("part", "generat", "Did you mean 'generate'"),
    ],
    "draw": [
        ("ready", "hose", "Did you mean 'house'"),
        ("added_noise", "2", "from 0 to 1"),
        ("centred", "yes", "choose one of off, on"),
        ("models", "../../etc", "cannot name a run"),
        ("models", "a,b,c,d", "at most 3"),
        ("ink", "blue", "choose one of auto, dark, light"),
        ("bottleneck", "3", "choose one of 2, 4"),
        ("drawing", "1", "There is no setting 'drawing'"),
    ],
    "architectures": [
        ("racers", "conv_resize,conv_resizes", "Did you mean 'conv_resize'?"),
        ("race_epochs", "21", "from 1 to 20"),
        ("target", "2", "from -0.5 to 1.5"),
        ("weak", "0.5", "choose one of"),
        ("pair_rate", "nan", "from 1e-06 to 1"),
        ("architecture", "resnet", "choose one of"),
        ("image", "-3", "from 0 to"),
        ("mix_code", "none", "choose one of"),
    ],
    "reproduce": [("card", "hintn", "Did you mean 'hinton'?")],
    "stacked": [("layer", "1", "Did you mean 'layers'"), ("layers", "0", "from 1 to")],
    "colour": [
        ("chain", "colorise", "'colorise'"), ("dataset", "mnist", "'mnist'"), ("chain_epochs", "0", "chain_epochs is '0'"),
    ],
    "runs": [("whose", "yours", "choose one of"), ("runs", "a b", "cannot name a run"), ("epoch", "-1", "from 0 to")],
    "teach": [
        ("sheet", "denoice", "Did you mean 'denoise'?"),
        ("class", 41 * "x", "at most 40 characters"),
        ("class", "\x1b[31m", "characters that can be printed"),
        ("lesson", "9", "choose one of"),
    ],
}  # fmt: skip
"""By page: a setting, what a link has for it, and a part of the sentence."""


@pytest.mark.parametrize("page", WRONG)
def test_wrong_part_of_a_link_is_named_and_the_rest_is_used(page, monkeypatch):
    settings = importlib.import_module(f"pages.{page}").SETTINGS
    for key, given, words in WRONG[page]:
        good = [name for name in settings if name != key][-1:]  # if it has another
        link = {key: given, **{name: state.text(settings[name].default) for name in good}}
        session = SimpleNamespace(session_state={}, query_params=link)
        monkeypatch.setattr(state, "st", session)
        (problem,) = state.open_page(page, settings)
        assert key in problem or given in problem
        assert words in problem, problem
        assert state.values(settings) == {name: setting.default for name, setting in settings.items()}


def test_every_page_is_there():
    assert set(WRONG) == {file.removesuffix(".py") for file in frame_pages()}
