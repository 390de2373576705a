"""Experiments of the sparsity view."""

from pages.parts.common.experiment import Experiment

_FIRST = {
    "sparse_network": "dense", "sparse_output": "sigmoid", "sparse_loss": "mse", "weak": 0.001, "strong": 0.005,
    "other_output": True, "sparse_images": 5_000, "sparse_epochs": 6, "sparse_seed": 0,
}  # fmt: skip

EXPERIMENTS: dict[str, Experiment] = {
    "a_price": Experiment(
        "A price on the code",
        _FIRST,
        "Press *Start*. Without a penalty no unit is silent; with the stronger one more than half of them are, and the "
        "error is larger: fewer units have to say it all. The same price with a linear output silences far fewer, for "
        "there the error's own slope is not squeezed by a sigmoid, and the penalty has more to fight against.",
    ),
    "collapse": Experiment(
        "Too high a price",
        {**_FIRST, "strong": 0.1, "other_output": False},
        "With the stronger penalty every number of the code is close to 0 and nothing gets through: the network gives the "
        "same average image for all eight. The share of silent units does not say so, for it compares units "
        "with the loudest one, and all are equally faint. Look at the mean size, too.",
    ),
    "bce_pays_more": Experiment(
        "The same price under BCE",
        {**_FIRST, "sparse_loss": "bce", "other_output": False},
        "A penalty weighs only what the loss does not outweigh. BCE is several times as large as MSE, so the same "
        "stronger penalty silences fewer units: about half as many.",
    ),
    "linear_code": Experiment(
        "A code that can shrink",
        {**_FIRST, "sparse_network": "fast", "weak": 0.003, "strong": 0.03, "other_output": False, "sparse_epochs": 2},
        "The code of this network is linear, and its decoder can scale it back. So it pays less by making all numbers "
        "smaller, to less than a third, and no unit falls silent: an L1 penalty is no promise of sparsity.",
    ),
}
