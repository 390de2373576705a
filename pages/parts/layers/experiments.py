"""Experiments of the view "Layer by layer": what to try."""

from pages.parts.common.experiment import experiments_of

EXPERIMENTS = experiments_of(
    "layers",
    before_training={"view": "layers", "architecture": "fast", "weights": "fresh", "source": "test"},
    no_bottleneck={"view": "layers", "architecture": "conv_denoise", "source": "test"},
    past_the_code={"view": "layers", "architecture": "conv_unpool", "source": "test"},
)
