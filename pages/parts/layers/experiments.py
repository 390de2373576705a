"""Experiments and explanations of the view "Layer by layer": what to try, and how to read its pictures."""

import streamlit as st

from pages.parts.common.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    "before_training": Experiment(
        "What training changes",
        {"view": "layers", "architecture": "fast", "weights": "fresh", "source": "test"},
        "With fresh weights the reconstruction is grey all over, and more than ten times as wrong. Yet the first layers "
        "show the digit: convolutions pass a picture on whatever their weights are. Switch the weights to *Trained* and "
        "look at where the difference lies: behind the code.",
    ),
    "no_bottleneck": Experiment(
        "A code that is no bottleneck",
        {"view": "layers", "architecture": "conv_denoise", "source": "test"},
        "The code of this network is 32 small pictures of 7 × 7, and in many of them the digit can still be seen. "
        "Together they have 1,568 numbers, twice as many as the image: nothing forces this network to leave anything "
        "out. What it learns, it learns from noise.",
    ),
    "past_the_code": Experiment(
        "What goes past the code",
        {"view": "layers", "architecture": "conv_unpool", "source": "test"},
        "The coloured picture is what pooling remembers: from which of four places each value came. It never passes the "
        "code, and the decoder puts every value back by it. Two bits for each of 6,272 values are 12,544 bits, twice as "
        "many as the image's 784 bytes. *Switch leak* shows what that is worth.",
    ),
}


def explanation() -> None:
    """How to read the pictures, folded."""
    with st.expander("How are these pictures to be read?"):
        st.markdown(
            """
A **layer** turns numbers into other numbers; what it gives for one image are its **activations**. A convolution gives
a **feature map** for each of its filters: a small picture of where in the image the filter found what it looks for.
All maps of a layer are side by side in one picture; a dense layer's numbers are cells, row by row.

- **Each picture has its own scale**, written under it, for a value of one layer means nothing in another. Where there
  are values below 0, middle grey is 0; elsewhere black is.
- **The diagram** draws a block for every layer, as high as its maps are wide and as thick as it has channels. A dense
  layer is as high as a map of as many pixels.
- **The code** is what the encoder gives and all that the decoder gets, but for the **switches** of two of the
  networks.
- **Filters** are the weights themselves. Those of the first layer, and of dense layers next to the image, look like
  what they are after; those between inner layers mix many channels and show little by themselves.
- **Fresh** weights are drawn at random before training, from the seed; the network then gives something, but nothing
  that it has learned.
- The image goes in without noise, also where the network was trained on noisy ones.

*Sources:* Zeiler and Fergus, *Visualizing and Understanding Convolutional Networks*, ECCV 2014; Dumoulin and Visin,
*A guide to convolution arithmetic for deep learning*, arXiv:1603.07285, 2016. Each network's own source stands under
"The idea".
"""
        )
