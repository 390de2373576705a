"""Experiments and explanations of the decoder race: races to try, and what a checkerboard is."""

import streamlit as st

from pages.parts.common.experiment import Experiment

_ALL = ("conv_denoise", "conv_unpool", "conv_transpose", "conv_transpose_even", "conv_resize")
_CLEAN = {"race_noise": 0.0, "race_images": 2_000, "race_epochs": 3, "race_seed": 0}

EXPERIMENTS: dict[str, Experiment] = {
    "all_five": Experiment(
        "All five",
        {"racers": _ALL, **_CLEAN},
        "Press *Start*. The transposed convolution with kernel 3 leaves a checkerboard on every stroke, "
        "and its score is more than five times that of any other. Unpooling has the smallest error by far, but its "
        "switches tell it where every stroke is.",
    ),
    "one_pixel": Experiment(
        "One pixel of kernel",
        {"racers": ("conv_transpose", "conv_transpose_even"), **_CLEAN},
        "The same network twice, but for the size of its kernel. 3 is not a multiple of the stride 2, 4 is: the score of "
        "kernel 3 is more than ten times that of kernel 4, and its error is larger, too.",
    ),
    "training_longer": Experiment(
        "Does training longer help?",
        {"racers": ("conv_transpose", "conv_resize"), **_CLEAN, "race_epochs": 8},
        "Eight epochs in place of three, and the score of kernel 3 falls from over 10 to below 2: its weights learn to "
        "make up for the uneven overlap. The checkerboard is what such a network starts with and has to unlearn; "
        "resizing never has one, and its picture gets sharper.",
    ),
    "switches_and_noise": Experiment(
        "Switches against noise",
        {"racers": ("conv_denoise", "conv_unpool"), **_CLEAN, "race_noise": 0.5},
        "Without noise unpooling wins, for its switches carry every position past the code. With noise they carry the "
        "places of the noise as well: its error is now more than three times what it was without.",
    ),
}


def explanation() -> None:
    with st.expander("Where does the checkerboard come from, and how is it measured?"):
        st.markdown(
            r"""
A decoder has to make a small map large. **Upsampling** and **resizing** repeat each value, then convolve. **Unpooling**
puts each value back where pooling found it: the **switches** say where, and they reach the decoder past the code.
A **transposed convolution** lets each value paint its kernel into the large image, one every two pixels. Where kernel 3 is
painted with stride 2, the patches overlap in every other row and column: those pixels are reached by twice as many weights
as their neighbours (four times, where both cross), and the sum shows it. Kernel 4 overlaps everywhere alike.

The **checkerboard score** is this app's own: the energy of the reconstruction at the frequencies with a period of two
pixels, divided by that of the clean image,
"""
        )
        st.latex(r"\frac{\sum |F(\hat x)_{u,v}|^2}{\sum |F(x)_{u,v}|^2}")
        st.latex(r"\text{over}\quad u = \tfrac{H}{2}\ \text{or}\ v = \tfrac{W}{2}")
        st.markdown(
            """
1 is a faithful copy, more is a pattern that the image does not have, less is blur. All networks see the same images in the
same order under the same noise, from one seed, and minimise BCE. They are not equally large, and their codes differ even
more, so the smallest error is no proof of the best design: look at what each has to go by.

*Sources:* Odena, Dumoulin and Olah, *Deconvolution and Checkerboard Artifacts*, Distill 2016; Dumoulin and Visin,
*A guide to convolution arithmetic for deep learning*, arXiv:1603.07285; Zeiler, Taylor and Fergus, *ICCV* 2011 (switches).
"""
        )
