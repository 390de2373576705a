"""MNIST: the handwritten digits, as one npz file."""

from cae_core.datasets.entry import from_files
from cae_core.datasets.files import KERAS_URL, FileSet

MNIST = FileSet(
    name="mnist",
    label="MNIST",
    urls=(KERAS_URL + "mnist.npz",),
    download_bytes=11_490_434,
    md5={
        "x_train": "6bbc9ace898e44ae57da46a324031adb",
        "y_train": "a25bea736e30d166cdddb491f175f624",
        "x_test": "2646ac647ad5339dbf082846283269ea",
        "y_test": "27ae3e4e09519cfbb04c329615203637",
    },
)

ENTRY = from_files(
    MNIST,
    summary="70,000 handwritten digits, 28 by 28 pixels, white on black.",
    source="Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits; CC BY-SA 3.0",
    class_names=tuple("0123456789"),
)
