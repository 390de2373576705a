"""Fashion-MNIST: photographs of clothes in MNIST's format, as four gzipped IDX files."""

from cae_core.datasets.entry import from_files
from cae_core.datasets.files import IDX_NAMES, KERAS_URL, FileSet

FASHION_MNIST = FileSet(
    name="fashion_mnist",
    label="Fashion-MNIST",
    urls=tuple(f"{KERAS_URL}{stem}.gz" for stem in IDX_NAMES.values()),
    download_bytes=30_878_645,
    md5={
        "x_train": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "y_train": "9018921c3c673c538a1fc5bad174d6f9",
        "x_test": "8181f5470baa50b63fa0f6fddb340f0a",
        "y_test": "15d484375f8d13e6eb1aabb0c3f46965",
    },
)

ENTRY = from_files(
    FASHION_MNIST,
    summary="70,000 photographs of clothes, shoes and bags, 28 by 28 pixels, bright on black.",
    source="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning "
    "algorithms (2017), arXiv:1708.07747; Zalando SE, MIT licence",
    class_names=("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
