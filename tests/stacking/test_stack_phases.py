"""Greedy training layer by layer, and two classifiers that differ in nothing but where they start."""

from dataclasses import replace

import numpy as np
import pytest

from cae_core.stacking.phases import choose_labelled, train

pytestmark = pytest.mark.usefixtures("tensorflow")


def changed(before, after):
    return {name for name in before if not np.array_equal(before[name], after[name])}


def only_layers(stage):
    return stage.layer is not None


def only_classifiers(stage):
    return stage.layer is None


def test_each_stage_changes_its_own_weights_and_no_others(fresh, images, tiny):
    networks = fresh()
    before, own = networks.weights(), {}
    for event in train(networks, tiny, *images):
        own.setdefault(event.stage.label, set()).update(changed(before, networks.weights()))
        before = networks.weights()
    assert own.pop("Layer 1") == {"stack/0", "stack/1", "stack/2"}
    assert own.pop("Layer 2") == {"stack/3", "stack/4", "stack/5"}
    (tuned,) = own.values()
    assert tuned == {name for name in before if not name.startswith("stack")}


def test_the_layers_enter_the_classifier_unchanged(fresh, images, tiny):
    networks = fresh()
    first = networks.weights()
    arms = {name.partition("/")[2]: array for name, array in first.items() if name.startswith("random/")}
    assert all(np.array_equal(first[f"pretrained/{name}"], array) for name, array in arms.items())  # drawn alike
    for _ in train(networks, replace(tiny, steps=1), *images):  # the only step is at rate 0, where the schedule ends
        pass
    after = networks.weights()
    for theirs, ours in (("stack/0", 0), ("stack/1", 1), ("stack/3", 2), ("stack/4", 3)):
        np.testing.assert_array_equal(first[theirs], arms[str(ours)])  # and as the stack is
        np.testing.assert_array_equal(after[f"pretrained/{ours}"], after[theirs])
        assert not np.array_equal(after[f"pretrained/{ours}"], first[f"pretrained/{ours}"])
    assert all(np.array_equal(after[f"random/{name}"], array) for name, array in arms.items())


def test_started_alike_both_classifiers_stay_alike_and_neither_feels_the_other(fresh, images, tiny):
    """Same head, same batches, same rates: from an untrained stack the two are one and the same."""
    alone = [event.losses for event in train(fresh(), tiny, *images, only=only_classifiers)]
    np.testing.assert_allclose(*zip(*alone, strict=True), rtol=1e-6)
    beside = [event.losses for event in train(fresh(), tiny, *images) if event.stage.layer is None]
    np.testing.assert_allclose([b for _, b in beside], [b for _, b in alone], rtol=1e-5)
    assert np.abs(np.subtract(beside, alone)).max() > 1e-3


def test_layer_losses_are_those_of_the_paper(fresh, images, tiny):
    """The first layer in NumPy: h = t(x * W + b), three of four erased, y = s(h * flipped W + c), 1/(2n) sum (x - y)^2."""
    config = replace(tiny, batch_size=100, epochs=1, maps=(2,), kernels=(3,))
    networks = fresh(config)
    rng = np.random.default_rng(0)
    weights = networks.weights()
    weights |= {"stack/1": rng.normal(size=2).astype("float32"), "stack/2": np.array([0.3], "float32")}
    networks.set_weights(weights)
    event = next(train(networks, config, *images))
    x, (w, b, c) = images[0][..., 0] / 255.0, (weights[f"stack/{i}"] for i in range(3))

    def correlated(maps, kernels):  # (n, 28, 28, c) and (3, 3, c, k); what Keras calls a convolution
        wide = np.pad(maps, [(0, 0), (1, 1), (1, 1), (0, 0)])
        return sum(wide[:, i : i + 28, j : j + 28] @ kernels[i, j] for i in range(3) for j in range(3))

    h = 1.7159 * np.tanh((correlated(x[..., None], w) + b) * 2 / 3)
    windows = h.reshape(100, 14, 2, 14, 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(100, 14, 14, 2, 4)
    kept = windows * (np.arange(4) == windows.argmax(-1)[..., None])
    kept = kept.reshape(100, 14, 14, 2, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(100, 28, 28, 2)
    y = 1 / (1 + np.exp(-(correlated(kept, w[::-1, ::-1].swapaxes(2, 3)) + c)))
    assert event.losses[0] == pytest.approx(np.sum((x - y[..., 0]) ** 2) / 200, rel=1e-4)


def test_layers_learn(fresh, images, tiny):
    first, last = {}, {}
    for event in train(fresh(), replace(tiny, epochs=15, learning_rate=0.02), *images, only=only_layers):
        first.setdefault(event.stage.label, event.losses[0])
        last[event.stage.label] = event.losses[0]
    assert all(last[label] < 0.6 * first[label] for label in first)


def test_noise_is_taken_off_what_a_layer_aims_at(fresh, images, tiny):
    noisy = replace(tiny, noise_kind="masking", noise_factor=1.0)
    networks = fresh(noisy)
    networks.set_weights(networks.weights() | {"stack/2": np.zeros(1, "float32")})
    event = next(train(networks, noisy, *images))  # of nothing an unbiased layer makes grey, which is held to the image
    x = images[0][np.random.default_rng([tiny.seed, 2, 1, 0]).permutation(100)[:25]] / 255.0
    assert event.losses[0] == pytest.approx(np.sum((x - 0.5) ** 2) / 50, rel=1e-5)


def test_labels_are_balanced_chosen_by_seed_and_few_are_part_of_many():
    y = np.random.default_rng(0).integers(0, 10, 1000)
    some, more = choose_labelled(y, 30, 1), choose_labelled(y, 100, 1)
    assert set(np.bincount(y[some])) == {3}
    assert set(np.bincount(y[more])) == {10}
    assert set(some) < set(more)
    assert set(choose_labelled(y, 30, 2)) != set(some)
    np.testing.assert_array_equal(choose_labelled(y, 1000, 1), np.arange(1000))
    assert choose_labelled(y, 9_999, 1).shape == (1000,)


@pytest.mark.parametrize(
    ("broken", "says"),
    [("stack/0", r"step 1 of Layer 1: .* a learning rate of 1, try 0\.01, the usual"),
     ("random/4", r"step 1 of Classifiers: .* a fine-tuning rate of 1, try 0\.01, the usual")],
)  # fmt: skip
def test_divergence_is_said_with_what_to_try(fresh, images, tiny, broken, says):
    config = replace(tiny, optimizer="sgd", tuning_rate=1.0, learning_rate=1.0, hidden=0)
    networks = fresh(config)
    weights = networks.weights()
    networks.set_weights(weights | {broken: np.full_like(weights[broken], np.nan)})
    with pytest.raises(FloatingPointError, match=says):
        list(train(networks, config, *images, only=only_layers if "stack" in broken else only_classifiers))


def test_fewer_images_than_labels_are_refused(fresh, images, tiny):
    with pytest.raises(ValueError, match="Got 20 images and 20 classes for 30 labels"):
        next(train(fresh(), tiny, images[0][:20], images[1][:20]))
