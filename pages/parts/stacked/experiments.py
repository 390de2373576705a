"""Experiments and explanations of the Stacked page."""

from __future__ import annotations

import streamlit as st

from pages.parts.common.experiment import Experiment

SMALL = {
    "stack_view": "mine", "layers": 2, "maps": 12, "kernel": 5, "pooling": True, "stack_noise": 0.0, "labels": 100,
    "stack_images": 5_000, "stack_epochs": 1, "tuning_steps": 150, "stack_rate": 0.005, "tuning_rate": 0.004,
    "stack_batch": 25, "stack_optimizer": "adam", "hidden": 100, "dropout": 0.5, "stack_seed": 0,
}  # fmt: skip

EXPERIMENTS: dict[str, Experiment] = {
    "copy": Experiment(
        "A layer that only copies",
        SMALL | {"layers": 1, "pooling": False},
        "Without max-pooling a layer has twelve numbers for every pixel, and nothing forces it to find strokes: it comes "
        "to copy. Press *Train this stack*, then turn pooling on and train again: the pictures get worse, and "
        "that is the point.",
    ),
    "deep": Experiment(
        "Down through three layers",
        SMALL | {"layers": 3, "kernel": 3, "pooling": False, "maps": 8},
        "What layer 3 keeps goes down through all three ways back. Each row is a little worse than the one above it, for "
        "each layer only ever saw the one below. With pooling, three layers are one too many for 28 pixels: try it.",
    ),
    "noise": Experiment(
        "Layers that remove noise",
        SMALL | {"stack_noise": 0.5, "stack_noise_kind": "gaussian"},
        "Every layer sees what those below make of a noisy image, and aims at what they make of the clean one. The row "
        "through layer 1 is nearer to the clean images than the noisy one is.",
    ),
    "few": Experiment(
        "One label a class",
        SMALL | {"labels": 10},
        "Ten labelled images, and both classifiers misread more than three of ten others, however good the features "
        "are: with one example of each class nothing says which differences matter.",
    ),
}


def explanation() -> None:
    """The idea, its equations and its sources; folded."""
    with st.expander("How does it work?"):
        st.markdown(
            r"""
A **stacked autoencoder** is trained one layer at a time. Layer 1 is a small autoencoder of the images; when it is done it
is **frozen**, and layer 2 becomes an autoencoder of what layer 1 gives; and so on. No label is needed for any of it. Then a
**classifier**, a fully connected layer and one number a class, is put on top, and everything is **fine-tuned** end to end
on the labelled images. Beside it the same classifier starts from random weights: the same layers, the same images in the
same batches, the same rates, the same number of steps, the same numbers left out by **dropout**.

One layer reads $x$ with kernels $W$ and paints with the same ones, flipped in both axes, $\widetilde W_{ij} = W_{-i,-j}$:
"""
        )
        st.latex(r"h^k = t(x * W^k + b^k)")
        st.latex(r"y = t\Big(\sum_k h^k * \widetilde W^k + c\Big)")
        st.latex(r"t(a) = 1.7159 \tanh(\tfrac23 a)")
        st.latex(r"E(\theta) = \frac{1}{2n} \sum_{i=1}^{n} (x_i - y_i)^2")
        st.markdown(
            """
Only the last step back to pixels ends in a sigmoid, for pixels are in [0, 1]. Between reading and painting, **max-pooling**
keeps the largest of four neighbours in its place and erases the other three. That makes the maps sparse, and kernels that
have to paint a patch from one number become strokes; without it a layer can copy pixel by pixel and learn nothing.

- **Through layers 1–2** goes up through both and down through both again, to pixels.
- **Filters** of layer 1 are its kernels; of a deeper layer, what one of its numbers paints, down through all layers, with
  the mean of the four places that pooling leaves open.
- **Features as they are**: a linear classifier on the maps, which stay as the images without labels made them. Its penalty
  is chosen on held-out images.
- All settings were chosen on the last 5,000 training images, which nothing is trained on. The other
  55,000 are "all labels".

*Sources:* Masci, Meier, Cireşan and Schmidhuber, *Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction*,
ICANN 2011; Bengio, Lamblin, Popovici and Larochelle, *NIPS* 2006 (layer by layer); Vincent et al., *JMLR* 2010 (noise);
published figures: gangchill/nip-convnet, mean of 10 runs.
"""
        )
