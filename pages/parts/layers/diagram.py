"""A network as a row of blocks, as high as their feature maps and as thick as their channels; on a phone, a column."""

from html import escape
from math import log2, sqrt

from cae_core.inspection.summary import Layer, Network


def html(label: str, network: Network, switches: bool) -> str:
    """The diagram of a network, from the image to the reconstruction.

    Args:
        label: the network's name.
        network: its table.
        switches: draw the way of the switches past the code, from each pooling that keeps some to its unpooling.
    """
    layers = [Layer("image", "image", "the image", tuple(network.image_shape), 0), *network.layers]
    code = max(i for i, layer in enumerate(layers) if layer.part == "encoder")
    blocks = "".join(_block(layer, i + 1, i == code) for i, layer in enumerate(layers))
    ways = _way("part", "encoder", 2, code + 1) + _way("part", "decoder", code + 2, len(layers))
    if switches:
        kept = [i + 1 for i, layer in enumerate(layers) if "the switches" in layer.kind]
        middle = len(kept) // 2
        for start, end in zip(kept[:middle], kept[middle:][::-1], strict=True):
            ways += _way("switch-way", "switches", start, end)
    steps = "; ".join(f"{layer.name}: {layer.kind}, {size(layer.shape)}" for layer in layers[1:])
    alt = f"{label}: an image of {size(network.image_shape)} goes through {len(network.layers)} layers. {steps}."
    alt += " The switches go from the pooling to the unpooling, past the code." if switches else ""
    words = escape(alt, quote=True)
    return f'<div class="diagram" role="img" aria-label="{words}" style="--count: {len(layers)}">{ways}{blocks}</div>'


def waiting() -> str:
    """Its place, while the network is being loaded."""
    return '<div class="diagram-waiting" role="status" aria-label="The network is being loaded"></div>'


def size(shape: tuple[int, ...]) -> str:
    """A shape as people write it."""
    return " × ".join(f"{n:,}" if len(shape) == 1 else str(n) for n in shape)


def _block(layer: Layer, at: int, is_code: bool) -> str:
    kind = "map" if len(layer.shape) == 3 else "vector"
    # A vector is as high as a map of as many pixels.
    side = max(layer.shape[:2]) if kind == "map" else sqrt(layer.shape[0])
    depth = 5 + 4.5 * log2(layer.shape[2]) if kind == "map" else 9
    across, channels = (size(layer.shape[:2]), f"× {layer.shape[2]}") if kind == "map" else (size(layer.shape), "")
    name = "code" if is_code else "image" if layer.part == "image" else ""
    style = f"--at: {at}; --side: {min(side, 48):.1f}; --depth: {depth:.0f}px"
    classes = f"block {layer.part} {kind}{' code' if is_code else ''}"
    title = escape(f"{layer.name}: {layer.kind}", quote=True)
    label = f"<b>{name}</b> <span>{across}</span> <span>{channels}</span>"
    return f'<div class="{classes}" style="{style}" title="{title}"><i><u></u></i><div class="shape">{label}</div></div>'


def _way(kind: str, words: str, start: int, end: int) -> str:
    """A bracket over the blocks from one place to another."""
    return f'<div class="{kind}" style="--from: {start}; --to: {end + 1}"><span>{escape(words)}</span></div>'
