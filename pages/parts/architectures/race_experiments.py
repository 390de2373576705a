"""Experiments of the decoder race."""

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
