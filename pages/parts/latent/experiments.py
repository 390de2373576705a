"""Experiments and explanations of the Latent page, each true of the shipped models."""

import streamlit as st

from pages.parts.common.experiment import Experiment
from pages.parts.latent.plane_view import NOTHING

_FIRST = {"run": (), "trained_on": "clean", "loss": "bce", "points": 2000, **NOTHING}

EXPERIMENTS: dict[str, Experiment] = {
    "two_numbers": Experiment(
        "Two numbers, no labels",
        {**_FIRST, "bottleneck": 2, "part": "neighbours"},
        "Nobody told the network the classes, yet images of one class lie together: five neighbours tell the class far "
        "more often than by the two numbers of PCA: the gap is over 20 percentage points.",
    ),
    "much_room": Experiment(
        "Many numbers: PCA catches up",
        {**_FIRST, "bottleneck": 64, "components": "1-2", "part": "neighbours"},
        "With 64 numbers there is room for everything, and PCA tells the classes nearly as well: the gap is under "
        "three percentage points. A bottleneck matters most where it is narrow.",
    ),
    "other_side": Experiment(
        "The same codes from another side",
        {**_FIRST, "bottleneck": 16, "components": "4-5"},
        "Components 4 and 5 of the same 16 numbers show less of the variance than 1 and 2, and other classes part or lie "
        "on top of each other. A plane is a shadow: what overlaps in it need not overlap in the code.",
    ),
    "half_way": Experiment(
        "Half-way between two images",
        {**_FIRST, "bottleneck": 16, "components": "1-2", "part": "interpolate", "image_a": 0, "image_b": 1},
        "Through the pixels, the middle is two drawings on top of each other, both in grey. Through the code it is one "
        "drawing with fewer grey pixels, though not always of any class: half-way between two classes may be neither.",
    ),
}

_EXPLANATION = """
The **encoder** turns each test image into a **code**, a list of as many numbers as the **bottleneck** is wide. A code of
two numbers is a place on a plane, and that is the picture above: one point an image, coloured by class. The network was
never told the classes.

Longer codes are seen along two of their **principal components**, the directions in which the codes differ most; number 1
is the one with the most variance. The axes say how much of it each of the two shows; the rest is not on the picture.

Networks stretch their codes as they like, and one class can take most of the plane. *Make room where points crowd* gives
crowded parts of each axis more of the picture: the numbers along the axes are still the code's, distances are not.

**A spot of the plane** is a code too: the numbers at that place or, for longer codes, the average code moved along the
two components. The **decoder** turns it into an image, whether or not any image lies there. The **manifold grid** does so
for a lattice of spots.

**A hole**, hatched, is an empty circle with codes all around it, at least half as far again from the nearest code as 99 %
of the codes are, measured on the picture as it is drawn; up to three are marked. Training only ever asked the decoder
about codes of images, and hardly ever about one there. Two figures show it: few training images have their code in the
circle, and the **encoder**, given the decoded picture, mostly puts it somewhere else. Planes of longer codes have no
marks: what looks empty in a shadow need not be so in the code.

**Interpolating** moves in equal steps from one code to another and decodes each. **Nearest neighbours** are the codes at
the least distance, all their numbers counted, so they may lie apart on the plane.

Other maps, such as **t-SNE** and **UMAP**, keep neighbours together, and larger distances mean nothing in them. The
projector, for which *Export* has the files, draws both.

*Sources:* Hinton and Salakhutdinov, *Science* 2006 (two-number codes of digits); Kingma and Welling, *ICLR* 2014, figure
4 (the plane decoded on a lattice); Cover and Hart, *IEEE Transactions on Information Theory* 1967 (nearest neighbours);
Smilkov and others, *arXiv* 1611.05469, 2016 (the embedding projector); van der Maaten and Hinton, *JMLR* 2008 (t-SNE);
McInnes, Healy and Melville, *arXiv* 1802.03426, 2018 (UMAP); Shamos and Hoey, *FOCS* 1975 (largest empty circles).
"""


def explanation() -> None:
    """What is to be seen, folded."""
    with st.expander("What am I looking at?"):
        st.markdown(_EXPLANATION)
