"""What several networks are made of: an upsampling that Keras does not have, and the seeds they are initialised from."""

from __future__ import annotations

from collections.abc import Iterator

from keras import layers


def depth_to_space(h, block: int):
    """Sub-pixel upsampling: `(n, H, W, b²C)` to `(n, bH, bW, C)`, channels becoming pixels (Shi et al., CVPR 2016).

    Made of layers that Keras has, so that a saved network opens without this project; the numbers are exactly those of
    `tf.nn.depth_to_space`, and so is the time.
    """
    height, width, channels = h.shape[1:]
    h = layers.Reshape((height, width, block, block, channels // block**2))(h)
    h = layers.Permute((1, 3, 2, 4, 5))(h)
    return layers.Reshape((height * block, width * block, channels // block**2))(h)


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
