"""Experiments of the Colour page."""

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
