"""The networks by name, each with what is known of it before it is built; reading them loads no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cae_core.config import Entry, RunConfig

if TYPE_CHECKING:
    import numpy as np

    from cae_core.architectures.autoencoder import Autoencoder


@dataclass(frozen=True)
class Architecture(Entry):
    """A registry line of `ARCHITECTURES`; `make` is the file's `build`.

    Attributes:
        published: the settings it was published with, as of `RunConfig`; where the source is silent, what it needs.
        equations: what it computes, in LaTeX.
        takes: settings of which it takes only some values, with these.
        sees: "image", or "grey": then what it is shown of images in colour is their luma, and colour is what it gives.
        fixed_code: the code's size follows from the image's; `bottleneck` changes nothing.
        own: designed for this app; `published` is then its recipe.
        stages: pairs of layers that can be trained alone, before the whole.
        solve: for a network without training steps, what computes its weights: `solve(model, x)` with all training images.
        file: where its code stands.
    """

    published: Mapping[str, Any] = field(default_factory=dict)
    equations: tuple[str, ...] = ()
    takes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    sees: str = "image"
    fixed_code: bool = False
    own: bool = False
    stages: int = 0
    solve: Any = None
    file: Path = Path()


def _entry(label: str, summary: str, source: str, file: str, **more: Any) -> Architecture:
    """An entry whose file is imported when first used, so that reading the registry loads no Keras."""

    def make(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
        return import_module(f"{__package__}.{file}").build(config, image_shape)

    return Architecture(label, summary, source, make, file=Path(__file__).with_name(f"{file}.py"), **more)


def _solve_pca(model: Autoencoder, x: np.ndarray) -> None:
    import_module(f"{__package__}.pca").solve(model, x)


_NOISY = {"noise_kind": "gaussian", "noise_factor": 0.5}
_CLEAN = {"noise_kind": "none"}
_COLORIZE = {
    "dataset": "cifar10",
    "loss": "mse",
    "optimizer": "rmsprop",
    "learning_rate": 0.001,
    "schedule": "constant",
    "batch_size": 148,
    "epochs": 10,
    **_CLEAN,
}

ARCHITECTURES: dict[str, Architecture] = {
    "fast": _entry(
        "Fast",
        "Strided convolutions down, work at low resolution, sub-pixel upsampling back: the app's own default.",
        "sub-pixel upsampling: Shi et al., CVPR 2016",
        "fast",
        published={"loss": "bce", "optimizer": "muon", "learning_rate": 0.01, "schedule": "one_cycle", "batch_size": 128,
                   "epochs": 6, "bottleneck": 32, **_NOISY},
        equations=(
            r"h_{i+1} = \mathrm{SiLU}(W_i *_{2} h_i + b_i)",
            r"z = W h + b",
            r"\hat x_{2i+p,\,2j+q} = \sigma(g_{i,j,\,2p+q})",
        ),
        own=True,
    ),
    "fast_denoise": _entry(
        "Fast denoiser",
        "Fast without a bottleneck: as good as the convolutional denoiser in a fraction of its time.",
        "sub-pixel upsampling: Shi et al., CVPR 2016; residual block: He et al., CVPR 2016",
        "fast_denoise",
        published={"loss": "mse", "optimizer": "muon", "learning_rate": 0.02, "schedule": "one_cycle", "batch_size": 128,
                   "epochs": 3, **_NOISY},
        equations=(
            r"h_{i+1} = \mathrm{SiLU}(W_i *_{2} h_i + b_i),\quad h_0 = \tilde x",
            r"z = h_2 + W_4 * \mathrm{SiLU}(W_3 * h_2 + b_3) + b_4",
            r"\hat x_{2i+p,\,2j+q} = \sigma(g_{i,j,\,2p+q})",
        ),
        fixed_code=True,
        own=True,
    ),
    "dense": _entry(
        "Dense",
        "784 → 256 → code → 256 → 784, every layer a sigmoid.",
        "Hinton and Salakhutdinov, Science 2006, without the pretraining",
        "dense",
        published={"loss": "mse", "optimizer": "rmsprop", "learning_rate": 0.01, "schedule": "constant", "batch_size": 256,
                   "epochs": 20, "bottleneck": 128, **_CLEAN},
        equations=(
            r"z = \sigma(W_2\,\sigma(W_1 x + b_1) + b_2)",
            r"\hat x = \sigma(W_4\,\sigma(W_3 z + b_3) + b_4)",
        ),
        stages=2,
    ),
    "dense_linear_2d": _entry(
        "Deep, linear code of 2",
        "784 → 256 → 64 → 16 → 2 and back: the whole code is a point in a plane.",
        "Hinton and Salakhutdinov, Science 2006; Bengio et al., NIPS 2006",
        "dense_linear_2d",
        published={"loss": "mse", "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "batch_size": 256,
                   "epochs": 20, "bottleneck": 2, **_CLEAN},
        equations=(
            r"h_i = \sigma(W_i h_{i-1} + b_i),\quad h_0 = x",
            r"z = W_4 h_3 + b_4 \in \mathbb{R}^2",
            r"\hat h_{i-1} = \sigma(W'_i \hat h_i + b'_i),\quad \hat x = \hat h_0",
        ),
        takes={"bottleneck": (2,)},
        stages=4,
    ),
    "dense_deep": _entry(
        "Deep",
        "784 → 1000 → 500 → 250 → code and back, the network that made deep autoencoders known.",
        "Hinton and Salakhutdinov, Science 2006, Fig. 2",
        "dense_deep",
        published={"loss": "bce", "optimizer": "muon", "learning_rate": 0.02, "schedule": "one_cycle", "batch_size": 256,
                   "epochs": 15, "bottleneck": 30, **_CLEAN},
        equations=(
            r"h_i = \sigma(W_i h_{i-1} + b_i),\quad h_0 = x",
            r"z = W_4 h_3 + b_4 \in \mathbb{R}^{30}",
            r"\hat h_{i-1} = \sigma(W'_i \hat h_i + b'_i),\quad \hat x = \hat h_0",
        ),
        stages=4,
    ),
    "dense_denoise": _entry(
        "Dense denoiser",
        "784 → code → 784: one hidden layer that sees the noisy image and has to give the clean one.",
        "Vincent et al., ICML 2008",
        "dense_denoise",
        published={"loss": "bce", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 200,
                   "epochs": 20, "bottleneck": 256, **_NOISY},
        equations=(
            r"z = \sigma(W \tilde x + b),\quad \tilde x = x + \varepsilon",
            r"\hat x = \sigma(W' z + b')",
            r"\min\; L(x, \hat x)",
        ),
        stages=1,
    ),
    "conv_denoise": _entry(
        "Convolutional denoiser",
        "The Keras example: its code has 1,568 numbers for 784 pixels, so it is no bottleneck at all.",
        "Keras examples, vision/autoencoder (Valdarrama, 2021)",
        "conv_denoise",
        published={"loss": "bce", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 128,
                   "epochs": 100, **_NOISY},
        equations=(
            r"h_i = \mathrm{pool}_2(\max(0, W_i * h_{i-1} + b_i)),\quad h_0 = \tilde x,\quad z = h_2",
            r"g_{i+1} = \mathrm{up}_2(\max(0, W'_i * g_i + b'_i)),\quad g_1 = z",
            r"\hat x = \sigma(W'_3 * g_3 + b'_3)",
        ),
        fixed_code=True,
    ),
    "conv_unpool": _entry(
        "Unpooling with switches",
        "Pooling remembers where each maximum was, and unpooling puts it back there, past the code.",
        "Zeiler, Taylor and Fergus, ICCV 2011; SegNet, 2015",
        "conv_unpool",
        published={"loss": "mse", "optimizer": "rmsprop", "learning_rate": 0.01, "schedule": "constant", "batch_size": 50,
                   "epochs": 20, **_CLEAN},
        equations=(
            r"z_{ij} = \max_{p \in \Omega_{ij}} h_p,\quad s_{ij} = \arg\max_{p \in \Omega_{ij}} h_p",
            r"u_p = z_{ij}\,[\,p = s_{ij}\,]",
            r"g = W_2^{\prime} *^{\mathsf T} (u - b_2),\quad \hat x = W_1^{\prime} *^{\mathsf T} (\max(0, g) - b_1)",
        ),
        fixed_code=True,
    ),
    "conv_transpose": _entry(
        "Transpose, kernel 3",
        "The textbook one: its decoder paints with the encoder's own kernels, and leaves a checkerboard.",
        "Masci et al., ICANN 2011; Odena, Dumoulin and Olah, Distill 2016",
        "conv_transpose",
        published={"loss": "half", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 128,
                   "epochs": 10, **_CLEAN},
        equations=(
            r"z = \mathrm{pool}_2(\max(0, W * x + b))",
            r"\hat x = \sigma(W *^{\mathsf T}_2 z + c)",
            r"\langle W * a,\, b\rangle = \langle a,\, W *^{\mathsf T} b\rangle",
        ),
        fixed_code=True,
    ),
    "conv_transpose_even": _entry(
        "Transpose, kernel 4",
        "The same with a kernel that its stride divides: every pixel is painted equally often.",
        "Odena, Dumoulin and Olah, Distill 2016",
        "conv_transpose",
        published={"loss": "half", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 128,
                   "epochs": 10, **_CLEAN},
        equations=(
            r"z = \mathrm{pool}_2(\max(0, W * x + b))",
            r"\hat x = \sigma(W *^{\mathsf T}_2 z + c),\quad 4 \bmod 2 = 0",
        ),
        fixed_code=True,
    ),
    "conv_resize": _entry(
        "Resize, then convolve",
        "Its decoder resizes to each size the encoder has passed, then convolves: no checkerboard, any image size.",
        "Odena, Dumoulin and Olah, Distill 2016",
        "conv_resize",
        published={"loss": "bce", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 200,
                   "epochs": 20, **_NOISY},
        equations=(
            r"h_i = \mathrm{pool}_2(\max(0, W_i * h_{i-1} + b_i)),\quad h_0 = \tilde x,\quad z = h_3",
            r"u_i = \mathrm{resize}(g_i, |h_{i-1}|),\quad g_{i-1} = \max(0, W'_i * u_i + b'_i),\quad g_3 = z",
            r"\hat x = \sigma(W' * g_0 + b')",
        ),
        fixed_code=True,
    ),
    "masci": _entry(
        "Stacked CAE, one layer",
        "Kernels that read and, flipped, paint; max pooling in between keeps one value of four.",
        "Masci, Meier, Cireşan and Schmidhuber, ICANN 2011",
        "masci",
        published={"loss": "half", "optimizer": "sgd", "learning_rate": 0.01, "schedule": "constant", "batch_size": 128,
                   "epochs": 10, **_CLEAN},
        equations=(
            r"h^k = \sigma(x * W^k + b^k)",
            r"y = \sigma\Big(\sum_k h^k * \widetilde W^k + c\Big),\quad \widetilde W_{ij} = W_{-i,-j}",
            r"E(\theta) = \frac{1}{2n} \sum_{i=1}^{n} (x_i - y_i)^2",
        ),
        fixed_code=True,
    ),
    "pca": _entry(
        "Principal components",
        "The best linear code: the directions in which the images differ most, computed at once.",
        "Pearson 1901; Baldi and Hornik, Neural Networks 1989",
        "pca",
        published={"loss": "mse", "output": "linear", "epochs": 1, "bottleneck": 30, **_CLEAN},
        equations=(
            r"z = V (x - m)",
            r"\hat x = V^{\mathsf T} z + m",
            r"\min_V \sum_n \|x_n - \hat x_n\|^2,\quad V V^{\mathsf T} = I",
        ),
        takes={"loss": ("mse", "half"), "output": ("linear",), "noise_kind": ("none",), "epochs": (1,)},
        solve=_solve_pca,
    ),
    "colorize": _entry(
        "Grey to colour, as meant",
        "Sees an image's luma and has to give its colours: a target that is not the input.",
        "a published tutorial, its chain as it was meant; Zhang, Isola and Efros, ECCV 2016, for what its losses prefer",
        "colorize",
        published=_COLORIZE,
        equations=(
            r"Y = 0.299\,R + 0.587\,G + 0.114\,B",
            r"h_i = \mathrm{pool}_2(\max(0, W_i * h_{i-1} + b_i)),\quad h_0 = Y,\quad z = h_3",
            r"(\hat R, \hat G, \hat B) = \sigma(W' * g_0 + b')",
        ),
        sees="grey",
        fixed_code=True,
    ),
    "colorize_listing": _entry(
        "Grey to colour, as listed",
        "The same as it was printed: its second convolution reads the input, so its first one is dead.",
        "a published tutorial, as listed",
        "colorize",
        published=_COLORIZE,
        equations=(
            r"h_1 = \mathrm{pool}_2(\max(0, W_1 * Y + b_1))\ \text{(read by nothing)}",
            r"h_2 = \mathrm{pool}_2(\max(0, W_2 * Y + b_2)),\quad z = \mathrm{pool}_2(\max(0, W_3 * h_2 + b_3))",
            r"(\hat R, \hat G, \hat B) = \sigma(W' * g_0 + b')",
        ),
        sees="grey",
        fixed_code=True,
    ),
}  # fmt: skip
