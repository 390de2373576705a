"""Experiments and explanations of the Draw page: what to try, and how a drawing becomes the network's input."""

from __future__ import annotations

import streamlit as st

from cae_core.pretrained import name_of
from pages.parts.common.experiment import Experiment


def experiments(dataset: str) -> dict[str, Experiment]:
    """Drawings worth looking at through the shipped models; a test holds each claim against them.

    Args:
        dataset: whose models; the claims hold for those trained on digits.
    """

    def on(ready: str, bottleneck: int, *others: tuple[int, str, str], **more) -> dict:
        models = tuple(name_of(dataset, *other) for other in others)
        plain = {"loss": "bce", "trained_on": "mixed", "centred": True, "added_noise": 0.0}
        return {"dataset": dataset, "ready": ready, "bottleneck": bottleneck, "models": models, **plain, **more}

    return {
        "house": Experiment(
            "A house",
            on("house", 8, (32, "bce", "mixed")),
            "The network has never seen a roof and answers with something nearer to a digit. So the house is called out: "
            "with 8 numbers and with 32, its error is larger than that of 98 % of the test images.",
        ),
        "letter": Experiment(
            "A letter A",
            on("letter_a", 8, (32, "bce", "mixed"), (128, "bce", "mixed")),
            "With 8 numbers the A is unlike the training data. With 128 it comes back with less than a quarter of that "
            "error, and passes: a wide code can copy lines that no digit has, so it cannot tell what is unlike.",
        ),
        "corner": Experiment(
            "A 4 in a corner",
            on("corner", 32, (8, "bce", "mixed"), centred=False),
            "Every training image was centred and of one size, so a small 4 in a corner is a stranger: more error than "
            "98 % of the test images. Turn on “Centre like MNIST” and the error falls to less than a fifth.",
        ),
        "noise": Experiment(
            "Noise on a drawing",
            on("three", 32, (32, "bce", "clean"), noise_kind="gaussian", added_noise=0.5, seed=0),
            "The same noise, two networks: the one trained on noisy images has less than half of the error of the one that "
            "never saw any.",
        ),
    }


def explanation() -> None:
    """How a drawing becomes what the network sees, folded."""
    with st.expander("What happens to a drawing?"):
        st.markdown(
            """
A drawing is a picture of 280 × 280 pixels; the networks take 28 × 28. Each new pixel is the mean of the 100 it covers, so a
thin line becomes grey instead of breaking.

**Centre like MNIST** does what was done to every digit of MNIST: the **bounding box** of the ink is scaled to fit 20 × 20
pixels with its proportions kept, then moved by whole pixels until its **centre of mass** is in the middle of the 28 × 28.
A network that has only seen such digits expects them so.

- **Reconstructed** is what the network makes of the picture after squeezing it through its **code**. **Absolute error** is
  how far each pixel is from the picture without noise; MSE is the mean squared error per pixel.
- **How unusual** a drawing is: its error without noise, held against the error of the same network on every image of the
  test set. From 95 % on it is called unusual, from 99 % on unlike the training data. The narrower the code, the
  stricter: a wide one copies strokes of any kind.
- **Nearest real images** are those of the first 2,000 test images whose codes have the smallest Euclidean distance. The
  plane shows codes of two numbers as they are, of longer ones the two directions of most variance.
- **A picture from a file** is turned upright, made grey, and its paper, taken from its border, made black. Dark ink on
  light paper is noticed and inverted; "Ink" says otherwise where that goes wrong.

*Sources:* LeCun, Bottou, Bengio and Haffner, *Proceedings of the IEEE* 86(11), 1998, section III.A (how MNIST's digits were
scaled and centred); An and Cho, *SNU Data Mining Center, Special Lecture on IE* 2(1), 2015, and Sakurada and Yairi, *MLSDA*
2014 (reconstruction error as a sign of the unusual).
"""
        )
