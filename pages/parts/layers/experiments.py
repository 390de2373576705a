"""Experiments of the view "Layer by layer": what to try."""

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
