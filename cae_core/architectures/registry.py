"""The networks by name; what is known of each stands in its file's `ENTRIES`, and reading that loads no Keras."""

from importlib import import_module

from cae_core.architectures.entry import Architecture

FILES = (
    "fast",
    "fast_denoise",
    "vae",
    "vae_dense",
    "vae_conv",
    "vae_binary",
    "dense",
    "dense_linear_2d",
    "dense_deep",
    "dense_denoise",
    "k_sparse",
    "conv_denoise",
    "conv_unpool",
    "conv_transpose",
    "conv_resize",
    "masci",
    "pca",
    "colorize",
)
"""Beside this one, in the order in which people see the networks."""

ARCHITECTURES: dict[str, Architecture] = {
    name: entry for file in FILES for name, entry in import_module(f"{__package__}.{file}").ENTRIES.items()
}
