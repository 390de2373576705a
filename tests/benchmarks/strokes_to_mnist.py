"""How near drawn digits are to real ones: trains on `strokes` alone, then reads MNIST.

The seconds it takes to draw 10,000 images, and the accuracy of a small convolutional network that has seen 20,000 drawn
digits and nothing else: no MNIST image, no augmentation. Needs MNIST. Tune the generator by `--validation` only, which
reads the last 10,000 *training* images; the test set is for the number one reports.
"""

import time

import numpy as np

from cae_core import datasets
from cae_core.datasets.strokes import draw

BAR = 0.90  # accuracy on the MNIST test set
NUM_TRAIN, NUM_VALIDATION = 20_000, 10_000
EPOCHS, BATCH_SIZE = 6, 64


def train_classifier(images: np.ndarray, labels: np.ndarray, seed: int):
    """Trains a small convolutional network on drawn digits.

    Args:
        images: (n, 28, 28) uint8 in [0, 255].
        labels: (n,) uint8 in [0, 9].
        seed: of the initial weights, the dropout and the order of the images.

    Returns:
        The trained Keras model, (batch, 28, 28, 1) float32 in [0, 255] to (batch, 10) probabilities.
    """
    import keras

    layers, (start, *seeds) = keras.layers, (keras.initializers.GlorotUniform, *range(seed + 1, seed + 7))
    convolution = {"strides": 2, "padding": "same", "activation": "relu"}
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1.0 / 255.0),
            layers.Conv2D(24, 5, kernel_initializer=start(seeds[0]), **convolution),
            layers.Conv2D(48, 3, kernel_initializer=start(seeds[1]), **convolution),
            layers.Flatten(),
            layers.Dropout(0.3, seed=seeds[2]),
            layers.Dense(128, activation="relu", kernel_initializer=start(seeds[3])),
            layers.Dropout(0.4, seed=seeds[4]),
            layers.Dense(10, activation="softmax", kernel_initializer=start(seeds[5])),
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * -(-len(images) // BATCH_SIZE))
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    rng, x = np.random.default_rng(seed), images[..., None].astype(np.float32)
    for _ in range(EPOCHS):  # `fit` shuffles by the global generator, so the order of every epoch is drawn here instead
        order = rng.permutation(len(x))
        model.fit(x[order], labels[order], batch_size=BATCH_SIZE, shuffle=False, verbose=0)
    return model


def strokes_to_mnist(seed: int, validation: bool) -> tuple[dict, dict]:
    """Seconds, accuracy, and what each digit was read as instead; and the bar for mistakes."""
    part = slice(-NUM_VALIDATION, None) if validation else slice(None)
    real = datasets.load("mnist", "train" if validation else "test")
    draw(1, 0)  # builds its tables
    begun = time.perf_counter()
    draw(10_000, 1)
    drawn = time.perf_counter()
    model = train_classifier(*draw(NUM_TRAIN, seed), seed)
    trained = time.perf_counter()
    read = model.predict(real.x[part].astype(np.float32), batch_size=1000, verbose=0).argmax(axis=1)
    confusion = np.zeros((10, 10), int)  # row is the true digit, column the digit read
    np.add.at(confusion, (real.y[part].astype(int), read), 1)
    accuracy = confusion.trace() / confusion.sum()
    others = confusion - np.diag(confusion.diagonal())
    values = {
        "accuracy": round(float(accuracy), 4),
        "accuracy_per_digit": (confusion.diagonal() / confusion.sum(axis=1)).round(4).tolist(),
        "mistakes": {digit: {other: int(n) for other, n in enumerate(row) if n} for digit, row in enumerate(others)},
        "seconds_to_draw_10000": round(drawn - begun, 3),
        "seconds_to_train": round(trained - drawn, 1),
    }
    return values, {"mistakes": (1 - float(accuracy), 1 - BAR)}
