"""The stack that most tests train."""

from cae_core.config import StackConfig

TINY = StackConfig(
    dataset="strokes", num_train=100, labels=30, maps=(3, 4), kernels=(3, 3), epochs=2, batch_size=25, steps=6, hidden=8,
    seed=3,
)  # fmt: skip
"""Two layers of eight steps, then six of fine-tuning."""
