"""How cost grows: with the image's size, the bottleneck, the batch and the number of images; and of looking at codes.

Training: microseconds an image in a step of the app's own network, everything else at its default. Looking: milliseconds to
encode images, to fit principal components to their codes, to put codes on a plane, and to find neighbours. Beside each row
stands its exponent, the slope of log cost on log size: 0 where more costs no more, 1 where it is proportional, 2 where it
is quadratic. `--picture FILE.html` draws it, too.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from cae_core import pca, runtime, training
from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.latent import live_plane, neighbours

SIZES = (28, 56, 84, 112)
BOTTLENECKS = (2, 8, 32, 128, 512)
BATCHES = (16, 32, 64, 128, 256, 512)
IMAGES = (1_000, 5_000, 20_000, 60_000)
NEIGHBOURS = (1_000, 2_500, 5_000, 10_000)
"""Codes among which neighbours are looked for: what the Latent page has at most."""
COMPILING = 5


def of_training(steps: int) -> dict[str, dict[int, float]]:
    """Microseconds an image in a step, on random images, by what is varied and to what."""

    def cost(size: int = 28, bottleneck: int = 32, batch: int = 128, images: int = 0) -> float:
        config = RunConfig(bottleneck=bottleneck, batch_size=batch, noise_kind="gaussian", noise_factor=0.5, epochs=1000)
        shape = (images or batch * (COMPILING + steps + 1), size, size, 1)
        x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        times, last = [], 0.0
        for event in training.train(build(config, shape[1:]), config, x, x[: training.MEASURED_HELD_OUT]):
            if event.epoch_loss is None:  # the step that ends an epoch also measures the held-out loss
                times.append(event.seconds - last)
            last = event.seconds
            if event.step == COMPILING + steps:
                break
        return round(1e6 * statistics.median(times[COMPILING:]) / batch, 1)

    return {
        "pixels of a side": {size: cost(size=size) for size in SIZES},
        "bottleneck": {bottleneck: cost(bottleneck=bottleneck) for bottleneck in BOTTLENECKS},
        "batch size": {batch: cost(batch=batch) for batch in BATCHES},
        "training images": {images: cost(images=images) for images in IMAGES},
    }


def of_looking() -> dict[str, dict[int, float]]:
    """Milliseconds, by what is done and to how many."""
    rng = np.random.default_rng(0)
    network = build(RunConfig(bottleneck=32), (28, 28, 1))
    x = rng.random((IMAGES[-1], 28, 28, 1), dtype=np.float32)
    z = rng.standard_normal((IMAGES[-1], 32)).astype(np.float32)
    network.encode(x[:1_000])

    def cost(function: Callable[[], object]) -> float:
        begun = time.perf_counter()
        function()
        return 1000 * (time.perf_counter() - begun)

    def over(counts: tuple[int, ...], function: Callable[[int], object]) -> dict[int, float]:
        return {n: round(min(cost(lambda n=n: function(n)) for _ in range(3)), 1) for n in counts}

    return {
        "images encoded": over(IMAGES, lambda n: network.encode(x[:n])),
        "codes projected by PCA": over(IMAGES, lambda n: pca.fit(z[:n], 2)),
        "codes put on a plane": over(IMAGES, lambda n: live_plane.to_plane(z[:n])),
        "neighbours of every code": over(NEIGHBOURS, lambda n: neighbours.of_each(z[:n])),
    }


def draw(rows: dict[tuple[str, str], dict[int, float]], exponents: dict[str, float], file: str) -> None:
    """Writes a chart for each row into one HTML file."""
    from plotly.subplots import make_subplots

    titles = [f"{name}<br>{unit}" for unit, name in rows]
    chart = make_subplots(rows=2, cols=4, subplot_titles=titles, vertical_spacing=0.2, horizontal_spacing=0.05)
    for place, ((_, name), row) in enumerate(rows.items()):
        at = {"row": place // 4 + 1, "col": place % 4 + 1}
        chart.add_scatter(x=list(row), y=list(row.values()), mode="lines+markers", line_color="#636efa", **at)
        grows = exponents[name] > 0.5  # then a straight line says that cost is proportional to size
        ticks = list(row)[1 if len(row) == len(IMAGES) and grows else 0 :]  # the smallest lie on each other
        chart.update_xaxes(type="linear" if grows else "log", tickvals=ticks, tickformat="~s", **at)
        chart.update_yaxes(rangemode="tozero", **at)
    margin = {"l": 50, "r": 20, "t": 60, "b": 40}
    chart.update_layout(width=1300, height=560, margin=margin, showlegend=False, template="plotly_white")
    chart.write_html(file, include_plotlyjs=True)


def growth(steps: int, picture: str) -> tuple[dict, dict]:
    """Cost by size in each unit, and the exponents; there are no bars."""
    runtime.ready(300)
    tables = {"µs an image": of_training(steps), "ms": of_looking()}
    rows = {(unit, name): row for unit, of in tables.items() for name, row in of.items()}
    slopes = {name: np.polyfit(np.log(list(row)), np.log(list(row.values())), 1)[0] for (_, name), row in rows.items()}
    exponents = {name: round(float(slope), 2) for name, slope in slopes.items()}
    if picture:
        draw(rows, exponents, picture)
    return tables | {"exponents": exponents}, {}
