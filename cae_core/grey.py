"""Colour to grey: the luma of ITU-R BT.601, one formula for NumPy arrays and for tensors.

Luma is a weighted sum of the stored values of red, green and blue, as television has used it since 1982: the eye takes
green for the brightest of the three and blue for the darkest. Pillow's mode "L" is the same up to rounding.

Source: ITU-R Recommendation BT.601-7, section 2.5.1.
"""

from __future__ import annotations

from typing import Any

RED, GREEN, BLUE = 0.299, 0.587, 0.114
"""Shares of luma; they add up to 1, so white stays white and a grey pixel keeps its value."""


def luma(x: Any) -> Any:
    """Y = 0.299 R + 0.587 G + 0.114 B.

    Args:
        x: `(..., 3)` floats in [0, 1], a NumPy array or a tensor.

    Returns:
        `(..., 1)` of the same kind, in [0, 1].

    Raises:
        ValueError: the last axis does not have three values.
    """
    if x.shape[-1] != 3:
        raise ValueError(f"Got an array of shape {tuple(x.shape)}; luma needs red, green and blue as its last axis.")
    return RED * x[..., :1] + GREEN * x[..., 1:2] + BLUE * x[..., 2:]
