"""Experiments of the BCE-or-MSE view, and when to use which."""

from pages.parts.common.experiment import Experiment

_PAIR = {
    "dataset": "strokes",
    "pair_noise": 0.0,
    "pair_rate": 0.003,
    "pair_images": 2_000,
    "pair_epochs": 3,
    "pair_seed": 0,
}
"""On MNIST the same settings end otherwise: even small steps tell the two losses apart, and large ones stop neither."""

EXPERIMENTS: dict[str, Experiment] = {
    "stuck_in_black": Experiment(
        "Stuck in black",
        {**_PAIR, "pair_network": "conv_denoise"},
        "Press *Start*. Most pixels are black, so the first thing either network learns is to answer black. With MSE it "
        "never comes out: it is sure and wrong at every white pixel, and there the slope of MSE is nearly 0. At the same "
        "pixels BCE's would be close to 1.",
    ),
    "twins": Experiment(
        "Twins",
        {**_PAIR, "pair_network": "fast"},
        "Where neither gets stuck the two are hard to tell apart: on Strokes, which this sets, their squared errors differ "
        "by less than a tenth. For a target in [0, 1] both losses have the same best answer.",
    ),
    "large_steps": Experiment(
        "Steps three times as large",
        {**_PAIR, "pair_network": "fast", "pair_rate": 0.01},
        "The same network as in *Twins*. With these steps MSE overshoots into black early on and stays there, while BCE "
        "goes on learning.",
    ),
    "outside": Experiment(
        "A target of 1.2",
        {"dataset": "strokes", "target": 1.2},
        "Targets leave [0, 1] when images are standardised, for example. The curve of BCE now falls without end to the "
        "right: there is no best answer, so it is refused. MSE has one, but a sigmoid cannot reach it; a linear output "
        "can.",
    ),
}


def pixel(target: float) -> str:
    """What the two charts show at this target."""
    if not 0 <= target <= 1:
        side = "right" if target > 1 else "left"
        return (
            f"At a target of {target:g} the curve of BCE has no minimum: it falls without end to the {side}, and its slope "
            f"never comes to 0. MSE is least at the {side} end, where a sigmoid comes closest; only a **linear output** "
            "gets there."
        )
    return (
        "BCE's slope is p − t, the error itself. MSE's is 2 (p − t) p (1 − p): the last two factors vanish at both ends, "
        "however wrong the pixel is there. A pixel in such a place is **saturated**."
    )


WHEN = (
    "**BCE when** every target is in [0, 1] and the output is a sigmoid, above all if most pixels are black or white: "
    "its slope is as large as the error, so a pixel that is sure and wrong can turn back.  \n"
    "**MSE when** targets can be any number, the output is linear, or squared error is what you are judged by; with a "
    "sigmoid take small steps, and look whether the loss is stuck at that of a black image."
)
"""Which of the two to take."""
