"""Experiments and explanations of the view "Switch leak": what to try, and what is measured."""

import streamlit as st

from pages.parts.common.experiment import Experiment


def _mix(code: str, switches: str) -> dict[str, str]:
    return {"view": "leak", "leak_network": "conv_unpool", "mix_code": code, "mix_switches": switches}


EXPERIMENTS: dict[str, Experiment] = {
    "what_and_where": Experiment(
        "Another image's code",
        _mix("next", "kept"),
        "Every image gets the code of the one at its right and keeps its own switches. What comes out is the digit of the "
        "code, ragged: of the test images more than nine in ten are nearer to the image that gave the code. A code of "
        "14 × 14 places knows by itself where strokes are; the switches only say where in each 2 × 2.",
    ),
    "random_switches": Experiment(
        "Switches drawn at random",
        _mix("kept", "random"),
        "With wrong switches the digit is still there, but its edges are frayed: the error is more than double that "
        "with the true ones. That difference is what the switches bring past the code.",
    ),
    "nothing_known": Experiment(
        "Neither code nor switches",
        _mix("mean", "random"),
        "The mean code with switches drawn at random explains nothing, less than 1 %. The same code with the true "
        "switches, *Switches alone*, explains at least a fifth: what you see there was drawn by the switches.",
    ),
}


def explanation() -> None:
    """What is replaced, what is measured, and why, folded."""
    with st.expander("What is measured here?"):
        st.markdown(
            """
**Max pooling** keeps the largest of four values and forgets where it was. Here it keeps its place, too, as a
**switch**, and the decoder's **unpooling** puts each value back there. So the decoder is told two things: **what**,
by the code, and **where**, by the switches, which no bottleneck narrows.

To see what one of the two carries, the other is replaced by something that is the same for every image:

- **Code blanked**, z = 0: unpooling moves zeros to other places, and they are zeros still. Every image gives the same
  picture, whatever its switches say. That is no evidence against the switches, only that this decoder draws nothing
  without a code.
- **Switches alone**: every value of the code becomes its mean over 500 test images. That says nothing of any one of
  them, but it is something for the switches to put in its place. What differs between these ten pictures came through
  the switches.
- **Switches shuffled**: each image gets those of the one at its right, the last those of the first.
- **Code alone**: every value goes to the top left of its four places.

**Explained** is the share of the images' variance around their mean image that the pictures have, after the best
single factor and the best constant picture are put right: the squared correlation of the deviations from the mean.
Pictures that are the same for all images have 0, whatever they show. **R² as drawn** puts nothing right: 1 − Σ|x −
x̂|² / Σ|x − mean|². It is 0 for whoever always answers the mean image, and negative for worse, such as a black
picture. Code and switches overlap, so their shares do not add up.

*Sources:* Zeiler, Taylor and Fergus, *Adaptive Deconvolutional Networks*, ICCV 2011, and Zeiler and Fergus,
*Visualizing and Understanding Convolutional Networks*, ECCV 2014 (switches); Badrinayanan, Kendall and Cipolla,
*SegNet*, arXiv:1511.00561, 2015 (a decoder that upsamples with them); Zhao, Mathieu, Goroshin and LeCun, *Stacked
What-Where Auto-encoders*, arXiv:1506.02351, 2015 (what and where).
"""
        )
