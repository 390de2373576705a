"""Layers that Keras does not have, and the seeds the networks are initialised from."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cae_core")
class DepthToSpace(keras.layers.Layer):
    """Sub-pixel upsampling: `(n, H, W, b²C)` to `(n, bH, bW, C)`, channels becoming pixels (Shi et al., CVPR 2016)."""

    def __init__(self, block: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.block = block

    def call(self, x):
        return tf.nn.depth_to_space(x, self.block)

    def compute_output_shape(self, shape):
        n, height, width, channels = shape
        return n, height * self.block, width * self.block, channels // self.block**2

    def get_config(self):
        return {**super().get_config(), "block": self.block}


def seeds(seed: int) -> Iterator[int]:
    """One seed a layer, so that equal configurations start from equal weights whatever else was built before."""
    layer = 0
    while True:
        yield (seed * 1009 + layer) % 2**31
        layer += 1


def refuse_size(architecture: str, image_shape: tuple[int, int, int], factor: int) -> None:
    """A ValueError unless the image's sides can be halved as often as the network does it."""
    if image_shape[0] % factor or image_shape[1] % factor:
        raise ValueError(
            f"{architecture} halves the image until it is {factor} times smaller and got "
            f"{image_shape[0]} x {image_shape[1]} pixels: both sides must be multiples of {factor}."
        )
