"""Digits drawn by the program: handwriting-like images with labels, made from pen trajectories, no download.

Every image starts as one row of `glyphs.GLYPHS`. Its control points are moved a little, a smooth curve is laid through
them, slanted, stretched, turned and warped, then placed as MNIST places its digits and inked with a round pen.

Inking is a batched matrix product. With a small Gaussian around every pen position p, each pixel receives

    ink(y, x) = sum_p weight_p * exp(-(y - y_p)^2 / 2 s^2) * exp(-(x - x_p)^2 / 2 s^2),

which separates into (size, points) @ (points, size). With weights equal to the pen's step length over sqrt(2 pi) s, ink is
exp(-d^2 / 2 s^2) at distance d from a straight line, so d can be read back from it and the edge placed by the pen's radius.
"""

import numpy as np

from cae_core.config import BOUNDS, Bounds
from cae_core.datasets.entry import DatasetEntry, Split
from cae_core.datasets.templates import POINTS, sampled_glyphs

NUM_IMAGES, IMAGE_SIZE = Bounds(1, 1_000_000, integer=True), Bounds(8, 512, integer=True)
"""Images and pixels of their edges that `draw` accepts."""

# Everything below is in pixels of a 28-pixel image or in fractions of the glyph's box. It was chosen by eye
# on contact sheets, by MNIST's ink statistics and by tests/benchmarks/strokes_to_mnist.py --validation.
INK_BOX = 20.0  # longer side of the ink's box
MARGIN_BOX = 26.0  # the ink's box never leaves the middle square of this edge length
PEN_RADIUS = (1.28, 0.26)  # median in pixels and spread of its logarithm
PEN_RADIUS_RANGE = (0.75, 2.2)
RADIUS_OVER_S = 1.6  # the higher, the nearer two strokes may pass without merging into one
PEN_REST = 0.6  # extra ink at the ends of a stroke, 1 being a line's full ink: without it the ends fall short
EDGE_SOFTNESS = 0.7  # width of the grey edge that the paper adds to the pixel's own
WIDTH = 0.88  # width of a glyph's box, its height being 1
SLANT = (0.1, 0.25)  # mean and standard deviation of dx/dy
ASPECT = 0.26  # standard deviation of log(width / height)
ROTATION = 0.1  # standard deviation in radians
WARP = 0.034  # amplitude of each wave of the displacement field
WARP_WAVES = 4
OFFSET = 0.5  # largest distance of the ink's centre from the image's, in pixels along each axis
THINNING = 0.2  # how much finer the pen is for digits with a long path: exponent of path / box
PRESSURE = 0.12  # largest relative change of the pen radius along a digit

_CHUNK_FLOATS = 4_000_000  # floats in the largest temporary array


def draw(num_images: int, seed: int, image_size: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Draws handwritten-looking digits: white ink on black.

    The same seed draws the same digits at every image size.

    Args:
        num_images: how many, 1 to a million.
        seed: as in a run's configuration.
        image_size: edge length of the square images in pixels, 8 to 512.

    Returns:
        images: (num_images, image_size, image_size) uint8 in [0, 255].
        labels: (num_images,) uint8 in [0, 9], shuffled; how often two digits occur differs by at most one.

    Raises:
        ValueError: an argument is no integer or out of range.
    """
    num_images = NUM_IMAGES.check("num_images", num_images)
    seed = BOUNDS["seed"].check("seed", seed)
    image_size = IMAGE_SIZE.check("image_size", image_size)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(num_images) % 10).astype(np.uint8)
    points, joined = _trajectories(labels, rng)
    points = _deform(points, rng)
    points, radii = _place(points, joined, rng)
    return ink(points, radii, joined, image_size), labels


def _trajectories(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns pen positions (n, POINTS, 2) float32, about [0, 1], and each image's `Template.joined`."""
    templates, digits, upper_share = sampled_glyphs()
    choice = np.searchsorted(upper_share + digits, labels + rng.random(len(labels)), side="right")
    num_controls = max(len(template.control) for template in templates)
    noise = rng.standard_normal((len(labels), num_controls, 2), dtype=np.float32)
    points = np.empty((len(labels), POINTS, 2), np.float32)
    joined = np.empty((len(labels), POINTS - 1), np.float32)
    for index, template in enumerate(templates):
        rows = np.flatnonzero(choice == index)
        moved = template.control + template.jitter[:, None] * noise[rows, : len(template.control)]
        points[rows] = template.curve @ moved
        joined[rows] = template.joined
    return points, joined


def _deform(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Warps, stretches, slants and turns each digit; (n, POINTS, 2) float32 in and out."""
    num_images = len(points)
    points = points - 0.5
    # A few long waves across the paper bend whole parts of a digit together, as elastic distortion of images
    # does (Simard, Steinkraus and Platt, 2003), at the cost of moving 96 points instead of 784 pixels.
    frequency = rng.uniform(-4.5, 4.5, (num_images, 2, WARP_WAVES)).astype(np.float32)  # radians per box
    phase = rng.uniform(0.0, 2.0 * np.pi, (num_images, 1, WARP_WAVES)).astype(np.float32)
    amplitude = rng.normal(0.0, WARP, (num_images, WARP_WAVES, 2)).astype(np.float32)
    points = points + np.sin(points @ frequency + phase) @ amplitude
    slant = rng.normal(*SLANT, num_images)
    stretch = np.exp(rng.normal(0.0, ASPECT / 2, num_images))
    angle = rng.normal(0.0, ROTATION, num_images)
    cos, sin = np.cos(angle), np.sin(angle)
    # Rows are (x, y); y points down, so a positive slant moves the top to the right.
    width_x, slant_x, height_y = WIDTH * stretch, -slant / stretch, 1.0 / stretch
    matrix = np.array([[cos * width_x, sin * width_x], [cos * slant_x - sin * height_y, sin * slant_x + cos * height_y]])
    return points @ matrix.transpose(2, 0, 1).astype(np.float32)


def _place(points: np.ndarray, joined: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scales and centres digits as MNIST does, and chooses the pen.

    Returns:
        points: (n, POINTS, 2) float32, pixels of a 28-pixel image relative to its centre.
        radii: (n, POINTS) float32, pen radius in pixels at each position.
    """
    num_images = len(points)
    extent = (points.max(axis=1) - points.min(axis=1)).max(axis=1)[:, None]
    path = _path_lengths(points, joined).sum(axis=1, keepdims=True) / extent
    median = PEN_RADIUS[0] * (2.0 / path) ** THINNING
    radius = median * np.exp(rng.normal(0.0, PEN_RADIUS[1], (num_images, 1)))
    radius = np.clip(radius, *PEN_RADIUS_RANGE).astype(np.float32)
    along = np.linspace(0.0, 1.0, POINTS, dtype=np.float32)
    waves = rng.uniform(2.0, 9.0, (num_images, 1)) * along + rng.uniform(0.0, 2.0 * np.pi, (num_images, 1))
    pressure = rng.uniform(0.0, PRESSURE, (num_images, 1)) * np.sin(waves)
    radii = (radius * (1.0 + pressure)).astype(np.float32)

    points = points * ((INK_BOX - 2.0 * radius) / extent)[:, :, None]
    mass = _path_lengths(points, joined) * radii
    centre = np.einsum("np,npc->nc", mass, points) / mass.sum(axis=1, keepdims=True)
    # MNIST moves whole pixels only, which leaves the centre of mass up to half a pixel off.
    shift = rng.uniform(-OFFSET, OFFSET, (num_images, 2)).astype(np.float32) - centre
    room = MARGIN_BOX / 2.0 - radius  # a very lopsided digit would otherwise be cut off by the border
    shift = np.clip(shift, -room - points.min(axis=1), room - points.max(axis=1))
    return points + shift[:, None, :], radii


def _path_lengths(points: np.ndarray, joined: np.ndarray) -> np.ndarray:
    """Returns (n, POINTS) float32: how much pen path each position stands for, in units of the points."""
    steps = np.sqrt((np.diff(points, axis=1) ** 2).sum(axis=2)) * joined
    lengths = np.zeros(points.shape[:2], np.float32)
    lengths[:, :-1] += steps / 2
    lengths[:, 1:] += steps / 2
    return lengths


def ink(points: np.ndarray, radii: np.ndarray, joined: np.ndarray, image_size: int) -> np.ndarray:
    """The ink that a pen leaves, anti-aliased for the size of the images.

    Args:
        points: `(n, POINTS, 2)` float32, the pen's positions, right and down from the middle in pixels of 28.
        radii: `(n, POINTS)` float32, the pen's radius at each, in the same unit.
        joined: `(n, POINTS - 1)` float32, 1 where the pen stays down on its way to the next position, else 0.
        image_size: pixels a side.

    Returns:
        `(n, image_size, image_size)` uint8, white on black.
    """
    lengths = _path_lengths(points, joined)
    ends = 1.0 - np.pad(joined, ((0, 0), (1, 0))) * np.pad(joined, ((0, 0), (0, 1)))
    pixel = 28.0 / image_size  # edge of a pixel in units of the points
    grid = ((np.arange(image_size) + 0.5) * pixel - 14.0).astype(np.float32)
    edge = np.float32(np.hypot(EDGE_SOFTNESS, pixel))
    spread = radii / np.float32(RADIUS_OVER_S)
    weights = lengths / (np.float32(np.sqrt(2.0 * np.pi)) * spread) + np.float32(PEN_REST) * ends
    narrow = (np.float32(-0.5) / spread**2)[:, :, None]
    mean_spread = spread.mean(axis=1)[:, None, None]
    mean_radius = np.float32(RADIUS_OVER_S) * mean_spread

    images = np.empty((len(points), image_size, image_size), np.uint8)
    chunk = max(1, _CHUNK_FLOATS // (image_size * max(image_size, POINTS)))
    for start in range(0, len(points), chunk):
        part = slice(start, start + chunk)
        across = np.exp(narrow[part] * (grid - points[part, :, 0, None]) ** 2)
        down = np.exp(narrow[part] * (grid - points[part, :, 1, None]) ** 2) * weights[part, :, None]
        density = down.transpose(0, 2, 1) @ across
        # Far from the pen ink underflows to 0 and where strokes meet it exceeds 1; both ends are flat.
        distance = mean_spread[part] * np.sqrt(-2.0 * np.log(np.clip(density, 1e-9, 1.0)))
        cover = np.clip(0.5 + (mean_radius[part] - distance) / edge, 0.0, 1.0)
        images[part] = np.rint(255.0 * cover)
    return images


NUM_TRAIN, NUM_TEST = 50_000, 5_000


def _load(split: str) -> Split:
    x, y = draw(NUM_TRAIN, seed=1) if split == "train" else draw(NUM_TEST, seed=2)
    return Split(x[..., np.newaxis], y)


ENTRY = DatasetEntry(
    label="Strokes",
    summary="55,000 digits drawn by the program from pen movements; needs no download.",
    source="This project, `cae_core/datasets/strokes.py`",
    class_names=tuple("0123456789"),
    num_train=NUM_TRAIN,
    image_shape=(28, 28, 1),
    load=_load,
    stands_in_for="mnist",
)
