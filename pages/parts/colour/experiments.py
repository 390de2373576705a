"""Experiments and explanations of the Colour page: luma, what the listing got wrong, why guesses are pale."""

import streamlit as st

from pages.parts.common.experiment import Experiment

_SHIPPED = {"colour_run": (), "seed": 0}

EXPERIMENTS: dict[str, Experiment] = {
    "read_to_colour": Experiment(
        "Colour by reading",
        {"dataset": "strokes_colour", "chain": "colorize", **_SHIPPED},
        "Each digit has a hue of its own, and all ten have the same luma, so grey gives nothing away: to colour a digit "
        "the network has to tell which one it is. More than 95 % of the test digits get their hue to within 15 degrees, "
        "with either loss. Look for one that is grey or in two colours: there it could not decide.",
    ),
    "as_listed": Experiment(
        "The listing as it was printed",
        {"dataset": "strokes_colour", "chain": "colorize_listing", **_SHIPPED},
        "Its first convolution is dead, and with it one halving of the image: every pixel is coloured by a window of 18 "
        "pixels in place of 38, part of a digit. No shape is wrong and no error is raised; only the share of hues that are "
        "right falls, with both losses.",
    ),
    "pale_photographs": Experiment(
        "Why are photographs so pale?",
        {"dataset": "cifar10", "chain": "colorize", **_SHIPPED},
        "A car may be red or blue, and either guess is often wrong; the mean of all that is possible, a brownish grey, is "
        "never very wrong. So the chroma error is below that of predicting the mean colours, but most of it is left. "
        "The luma error is beside the point: the luma was given, and the network only has to pass it on.",
    ),
    "listed_photographs": Experiment(
        "Photographs through the listing",
        {"dataset": "cifar10", "chain": "colorize_listing", **_SHIPPED},
        "Here the mistake hardly shows: its chroma error is within a tenth of the other's. What can be guessed of a "
        "photograph's colours is mostly in small windows, sky and grass; a figure that looks fine is no proof that the "
        "network is the one that was meant.",
    ),
}


def explanation() -> None:
    """How grey is made, what was wrong with the listing, and what the figures mean, folded."""
    with st.expander("How grey is made, and what the figures say"):
        st.markdown(
            "The network sees the **luma** of ITU-R BT.601, the weighted sum by which television made grey of colour. "
            "What is left of a pixel, and what has to be guessed, are its two **chroma** channels:"
        )
        st.latex(r"Y = 0.299\,R + 0.587\,G + 0.114\,B")
        st.latex(r"C_b = \frac{B - Y}{1.772},\quad C_r = \frac{R - Y}{1.402}")
        st.markdown(
            """
Both are 0 for grey and at most 0.5 in size. **Chroma error** is their mean squared error: predicting grey has the mean
square of the true chroma; predicting the **mean colours**, those of the training images at each place, is the best that can
be done without looking. The **hue** of a digit is that of its mean colour over the pixels of ink; a digit without any
colour counts as wrong. **Luma error** is the mean squared error of Y: grey and the mean colours keep the luma as it was
given, a network has to bring it through its code and loses some. Both stand apart, for in a figure of all three channels,
such as PSNR, the luma weighs most, and grey can be ahead of a network that guesses colours well.

**BCE or MSE?** Both losses are least at the mean of the colours that a pixel may have, so their guesses are equally pale.
BCE reads a target as a probability and needs it in [0, 1], as the colours are here; for other targets, such as chroma from
−0.5 to 0.5, it has no least value and MSE is the one that works. The networks with MSE end **linearly**, and what leaves
[0, 1] is cut off: through a sigmoid MSE gets stuck in black, the ground of most images, where a sigmoid has no slope left.
"""
        )
    with st.expander("What did the published listing get wrong?"):
        st.markdown("It calls its second convolution on the input, `x`, where the first one's result, `h`, was meant:")
        st.code(
            "h = MaxPooling2D()(Conv2D(16, 3)(x))\nh = MaxPooling2D()(Conv2D(32, 3)(x))    # (h) was meant",
            language="python",
        )
        st.markdown(
            """
So nothing reads the first convolution. It is **dead**: no gradient reaches it, and Keras leaves it out of the model
without a word. As the image is halved twice rather than three times, the listing's two upsamplings bring it back to its
size and every shape fits; the chain that was meant needs a third. *As meant* names that chain, *as listed* the one that was
run. The listing trains with RMSprop, batches of 148 and 10 epochs; the networks that ship were trained longer and
otherwise, as the Runs page says of each.

*Sources:* ITU-R Recommendation BT.601-7, section 2.5 (luma and chroma); Zhang, Isola and Efros, *Colorful Image
Colorization*, *ECCV* 2016, section 2 (why mean squared error gives pale colours); Krizhevsky, *Learning Multiple Layers of
Features from Tiny Images*, 2009 (CIFAR-10).
"""
        )
