"""Codes as TensorBoard's embedding projector reads them: vectors, metadata, sprite and configuration, in a zip.

The format is that of the plugin itself (tensorflow/tensorboard, tensorboard/plugins/projector/projector_config.proto and
projector_plugin.py); the rules for the header line and the sprite are in tensorflow/docs, site/en/guide/embedding.md.
"""

import io
import zipfile
from collections.abc import Sequence

import numpy as np

from cae_core.figures import pictures
from cae_core.latent import manifold

MAX_NUMBERS = 2_000_000
"""Numbers written at most, some 20 MB of text; of longer codes fewer images are exported."""

_README = """\
{count:,} codes of {size} numbers each, for TensorBoard's embedding projector.

With TensorBoard: unpack this folder and run `tensorboard --logdir .` in it, then open "Projector". It reads
projector_config.pbtxt and shows the images.

Without: open https://projector.tensorflow.org, press "Load", and give it vectors.tsv and metadata.tsv from your disk.
"""


def num_images(count: int, size: int) -> int:
    """How many of `count` images with codes of `size` numbers are exported."""
    return max(1, min(count, MAX_NUMBERS // size))


def archive(
    z: np.ndarray, labels: np.ndarray, class_names: Sequence[str], images: np.ndarray, name: str = "codes"
) -> bytes:
    """The zip; equal input gives equal bytes.

    Args:
        z: `(n, d)` float, one code per image.
        labels: `(n,)` integers, indices into class_names.
        class_names: what the classes are called.
        images: `(n, H, W, C)` uint8.
        name: what the projector calls the codes.

    Raises:
        ValueError: the sprite would be too large.
    """
    height, width = images.shape[1:3]
    vectors = io.StringIO()
    np.savetxt(vectors, z, fmt="%.6g", delimiter="\t")
    # Metadata of two columns has a header; of one it must have none.
    rows = ["index\tclass", *(f"{i}\t{' '.join(class_names[label].split())}" for i, label in enumerate(labels))]
    files = {
        "vectors.tsv": vectors.getvalue(),
        "metadata.tsv": "\n".join(rows) + "\n",
        "sprite.png": pictures.png(manifold.sprite(images)),
        "projector_config.pbtxt": _config(name, height, width),
        "README.txt": _README.format(count=len(z), size=z.shape[1]),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        for path, content in files.items():
            folder.writestr(zipfile.ZipInfo(path), content, zipfile.ZIP_DEFLATED)  # the year is 1980, whenever it is made
    return file.getvalue()


def _config(name: str, height: int, width: int) -> str:
    """`ProjectorConfig` in the text format of protocol buffers; a sprite's size is given as width, then height."""
    name = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f"""\
embeddings {{
  tensor_name: "{name}"
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
  sprite {{
    image_path: "sprite.png"
    single_image_dim: {width}
    single_image_dim: {height}
  }}
}}
"""
