"""How near drawn digits are to real ones: trains on `strokes` alone, then reads MNIST.

    python -m tests.benchmarks.strokes_to_mnist [--json] [--data-dir DIR] [--validation]

Prints the seconds it takes to draw 10,000 images and the accuracy of a small convolutional network that has
seen 20,000 drawn digits and nothing else: no MNIST image, no augmentation. Needs DIR/mnist.npz (DIR is
$CAE_DATA_DIR by default) with `x_train`, `y_train`, `x_test`, `y_test`. Tune the generator by `--validation`
only, which reads the last 10,000 *training* images; the test set is for the number one reports.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from cae_core.datasets.strokes import draw

BAR = 0.90  # accuracy on the MNIST test set below which the exit status is 1
NUM_TRAIN = 20_000
NUM_VALIDATION = 10_000
EPOCHS = 6
BATCH_SIZE = 64


def seconds_to_draw(num_images: int = 10_000, seed: int = 1) -> float:
    """Returns the wall-clock seconds to draw `num_images` 28x28 images, tables already built."""
    draw(1, 0)
    start = time.perf_counter()
    draw(num_images, seed)
    return time.perf_counter() - start


def train_classifier(images: np.ndarray, labels: np.ndarray, seed: int):
    """Trains a small convolutional network on drawn digits.

    Args:
        images: (n, 28, 28) uint8 in [0, 255].
        labels: (n,) uint8 in [0, 9].
        seed: Seed of the initial weights, the dropout and the order of the images.

    Returns:
        The trained Keras model, (batch, 28, 28, 1) float32 in [0, 255] to (batch, 10) probabilities.
    """
    import keras  # seconds to import, and `--help` needs none of it

    def seeded(name: str, offset: int):
        return keras.initializers.get({"class_name": name, "config": {"seed": seed + offset}})

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1.0 / 255.0),
            layers.Conv2D(
                24, 5, strides=2, padding="same", activation="relu", kernel_initializer=seeded("GlorotUniform", 1)
            ),
            layers.Conv2D(
                48, 3, strides=2, padding="same", activation="relu", kernel_initializer=seeded("GlorotUniform", 2)
            ),
            layers.Flatten(),
            layers.Dropout(0.3, seed=seed + 3),
            layers.Dense(128, activation="relu", kernel_initializer=seeded("GlorotUniform", 4)),
            layers.Dropout(0.4, seed=seed + 5),
            layers.Dense(10, activation="softmax", kernel_initializer=seeded("GlorotUniform", 6)),
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * -(-len(images) // BATCH_SIZE))
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    # `fit` shuffles by the global generator, so the order of every epoch is drawn here instead.
    rng = np.random.default_rng(seed)
    for _ in range(EPOCHS):
        order = rng.permutation(len(images))
        model.fit(
            images[order, :, :, None].astype(np.float32), labels[order], batch_size=BATCH_SIZE, shuffle=False, verbose=0
        )
    return model


def confusion_matrix(model, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns (10, 10) int: row is the true digit, column the digit read."""
    read = model.predict(images[..., None].astype(np.float32), batch_size=1000, verbose=0).argmax(axis=1)
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels.astype(int), read), 1)
    return matrix


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=os.environ.get("CAE_DATA_DIR"),
        help="folder with mnist.npz (default: $CAE_DATA_DIR)",
    )
    parser.add_argument(
        "--validation", action="store_true", help="read the last 10,000 MNIST training images instead of the test set"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawings and of the training")
    options = parser.parse_args(arguments)
    path = None if options.data_dir is None else Path(options.data_dir) / "mnist.npz"
    if path is None or not path.is_file():
        parser.error(
            f"--data-dir is {options.data_dir}; allowed is a folder that holds mnist.npz: "
            "name one by --data-dir or $CAE_DATA_DIR."
        )

    with np.load(path) as data:
        if options.validation:
            real, truth = data["x_train"][-NUM_VALIDATION:], data["y_train"][-NUM_VALIDATION:]
        else:
            real, truth = data["x_test"], data["y_test"]
    draw_seconds = seconds_to_draw()
    start = time.perf_counter()
    model = train_classifier(*draw(NUM_TRAIN, options.seed), options.seed)
    train_seconds = time.perf_counter() - start
    confusion = confusion_matrix(model, real, truth)
    accuracy = float(confusion.trace() / confusion.sum())

    result = {
        "read": "mnist training images, last 10,000" if options.validation else "mnist test set",
        "accuracy": accuracy,
        "accuracy_per_digit": (confusion.diagonal() / confusion.sum(axis=1)).round(4).tolist(),
        "bar": BAR,
        "drawn_train_images": NUM_TRAIN,
        "real_images": len(real),
        "seconds_to_draw_10000": round(draw_seconds, 3),
        "seconds_to_train": round(train_seconds, 1),
        "seed": options.seed,
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{draw_seconds:.2f} s to draw 10,000 images of 28x28")
        print(f"{train_seconds:.0f} s to train on {NUM_TRAIN:,} drawn digits, {EPOCHS} epochs")
        print(f"{accuracy:.2%} of {len(real):,} real digits ({result['read']}) read rightly, bar {BAR:.0%}")
        for digit, share in enumerate(result["accuracy_per_digit"]):
            mistakes = [f"{count} as {other}" for other, count in enumerate(confusion[digit]) if other != digit and count]
            print(f"  {digit}: {share:.1%}, read {', '.join(mistakes) or 'always rightly'}")
    return 0 if accuracy >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
