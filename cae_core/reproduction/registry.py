"""The cards: published figures, and this project's own, with the runs that are held against them.

A **card** is one claim of a paper or page, or several that belong together: the runs it takes, and what is measured of
them against which figure; each figure says whose it is. The same run from the command line (`python -m cae_core reproduce
CARD`) and from the app gives the same figures. Everything is measured on the whole test split; settings that a source
leaves open were chosen on held-out images. How a card differs from its source is said in `pages/words/cards.md`.
"""

import dataclasses
from typing import Any

from cae_core import architectures
from cae_core.config import RunConfig
from cae_core.reproduction.claims import Card, Claim


def _as_published(name: str, **changes: Any) -> RunConfig:
    return dataclasses.replace(architectures.published(name), **changes)


_KERAS = _as_published("conv_denoise", noise_kind="none", noise_factor=0.0, epochs=50)
_BLOG = _as_published("dense_denoise", noise_kind="none", noise_factor=0.0, bottleneck=32, batch_size=256, epochs=50)
_AT_ONCE = _as_published("dense_deep", pretraining=0, pretraining_kind="autoencoder", optimizer="muon", learning_rate=0.02,
                         batch_size=256, epochs=15)  # fmt: skip
_HALF_NOISE = ("gaussian", 0.5)
_LITTLE_NOISE = {"noise_kind": "gaussian", "noise_factor": 0.2}
_PCA = {2: 43.64, 4: 37.56, 8: 29.35, 16: 21.06, 30: 13.87, 32: 13.19, 64: 7.09, 128: 3.30}

_KS = {10: 2.10, 25: 1.35, 40: 1.54}

CARDS: dict[str, Card] = {
    "hinton_rbm": Card(
        "A code of 30 numbers, their network, pretrained",
        "Hinton and Salakhutdinov, Science 2006, Fig. 2: a deep autoencoder, 784-1000-500-250-30",
        (Claim("Boltzmann machines first", "hinton_rbm", 3.00, "published", "squared_error"),),
        {"hinton_rbm": _as_published("dense_deep")},
        seeds=3,
        tolerance=0.0,
        at_most=True,
    ),
    "hinton_unaided": Card(
        "The same, without pretraining",
        "the 3.00 of Hinton and Salakhutdinov, Science 2006, tried by the same 30 epochs from random weights",
        (Claim("whole network, Adam", "hinton_unaided", 3.00, "bar", "squared_error"),),
        {"hinton_unaided": _as_published("dense_deep", pretraining=0, pretraining_kind="autoencoder")},
        at_most=True,
    ),
    "hinton": Card(
        "A code of 30 numbers, their network, all at once",
        "the 3.00 of Hinton and Salakhutdinov, Science 2006, tried without their pretraining",
        (
            Claim("whole network at once", "hinton", 3.00, "bar", "squared_error"),
            Claim("shown noisy images", "hinton_noise", 3.00, "bar", "squared_error"),
        ),
        {"hinton": _AT_ONCE, "hinton_noise": dataclasses.replace(_AT_ONCE, **_LITTLE_NOISE)},
        tolerance=0.1,
        at_most=True,
    ),
    "hinton_plane": Card(
        "Their plane of two numbers",
        "Hinton and Salakhutdinov, Science 2006, Fig. 3: 784-1000-500-250-2 beside PCA; no figure published",
        (
            Claim("Boltzmann machines first", "hinton_plane", metric="squared_error", below="PCA, 2 components"),
            Claim("PCA, 2 components", "pca_2", 43.64, "measured", "squared_error"),
        ),
        {"hinton_plane": _as_published("dense_deep", bottleneck=2), "pca_2": _as_published("pca", bottleneck=2)},
        planes=("mnist-pca", "mnist-dense_deep-b2"),
    ),
    "thirty": Card(
        "A code of 30 numbers, any network",
        "this project's own bar, against the 3.00 of Hinton and Salakhutdinov, Science 2006",
        (Claim("fast, 30 numbers", "thirty", 2.3, "bar", "squared_error"),),
        {"thirty": _as_published("fast", noise_kind="none", loss="mse", bottleneck=30, batch_size=64, epochs=15)},
        seeds=3,
        tolerance=0.0,
        at_most=True,
    ),
    "pca": Card(
        "Principal components",
        "30: Hinton and Salakhutdinov, Science 2006; the others: measured for this project, by other means",
        tuple(
            Claim(f"{k} components", f"pca_{k}", figure, "published" if k == 30 else "measured", "squared_error")
            for k, figure in _PCA.items()
        ),
        {f"pca_{k}": _as_published("pca", bottleneck=k) for k in _PCA},
        is_curve=True,
        tolerance=0.005,
    ),
    "keras_clean": Card(
        "The Keras example, clean images",
        "keras.io, vision/autoencoder: validation BCE after 1 and 50 epochs",
        (
            Claim("after 1 epoch", "keras_clean", 0.0723, "published", "bce", epoch=1),
            Claim("after 50 epochs", "keras_clean", 0.0622, "published", "bce"),
        ),
        {"keras_clean": _KERAS},
    ),
    "keras_noise": Card(
        "The Keras example, denoising",
        "keras.io, vision/autoencoder: the trained network goes on as a denoiser of noise 0.4; validation BCE",
        (
            Claim("after 1 epoch", "keras_noise", 0.0922, "published", "bce", ("gaussian", 0.4), epoch=1),
            Claim("after 100 epochs", "keras_noise", 0.0839, "published", "bce", ("gaussian", 0.4)),
        ),
        {"keras_clean": _KERAS, "keras_noise": _as_published("conv_denoise", noise_factor=0.4)},
        starts={"keras_noise": "keras_clean"},
    ),
    "conv_denoise": Card(
        "The Keras network on noise 0.5, from scratch",
        "measured for this project with a bare training loop: test MSE and BCE by epoch",
        (
            *(
                Claim(f"MSE after epoch {epoch}", "conv_denoise", mse, "measured", "mse", _HALF_NOISE, epoch)
                for epoch, mse in {1: 0.0170, 2: 0.0146, 3: 0.0135, 5: 0.0124, 10: 0.0114}.items()
            ),
            *(
                Claim(f"BCE after epoch {epoch}", "conv_denoise", bce, "measured", "bce", _HALF_NOISE, epoch)
                for epoch, bce in {1: 0.1146, 5: 0.1002, 10: 0.0973}.items()
            ),
        ),
        {"conv_denoise": _as_published("conv_denoise", epochs=10)},
        tolerance=0.1,
    ),
    "dense": Card(
        "The plain autoencoder",
        "784-256-128-256-784, all sigmoid, MSE, RMSprop 0.01, batches of 256; no figure published",
        (
            Claim("as published", "dense", metric="squared_error"),
            Claim("PCA, 128 components", "pca_128", 3.30, "measured", "squared_error"),
        ),
        {"dense": _as_published("dense"), "pca_128": _as_published("pca", bottleneck=128)},
        seeds=3,
    ),
    "dense_linear_2d": Card(
        "Two numbers through a deep stack",
        "784-256-64-16-2 and back, MSE, Adam 0.01, batches of 256; no figure published",
        (
            Claim("as published", "dense_linear_2d", metric="squared_error"),
            Claim("layer by layer first", "dense_linear_2d_pretrained", metric="squared_error", below="as published"),
            Claim("PCA, 2 components", "pca_2", 43.64, "measured", "squared_error"),
        ),
        {
            "dense_linear_2d": _as_published("dense_linear_2d"),
            "dense_linear_2d_pretrained": _as_published("dense_linear_2d", pretraining=5),
            "pca_2": _as_published("pca", bottleneck=2),
        },
        seeds=3,
    ),
    "conv_unpool": Card(
        "Unpooling with switches",
        "MSE, RMSprop 0.01, batches of 50, 20 epochs; no figure published",
        (Claim("as published", "conv_unpool", metric="squared_error"),),
        {"conv_unpool": _as_published("conv_unpool")},
    ),
    "conv_resize": Card(
        "Resize-convolution against one dense layer",
        "conv_resize is said to beat the denoiser with a single hidden layer; no figure published",
        (
            Claim("conv_resize", "conv_resize", noise=_HALF_NOISE, below="dense_denoise"),
            Claim("dense_denoise", "dense_denoise", noise=_HALF_NOISE),
        ),
        {"conv_resize": _as_published("conv_resize"), "dense_denoise": _as_published("dense_denoise")},
    ),
    "k_sparse": Card(
        "Sparse codes, read by a linear classifier",
        "Makhzani and Frey, k-Sparse Autoencoders, ICLR 2014, Table 1: 1,000 units of which k stay, errors in per cent",
        (
            *(Claim(f"k = {k}", f"k_sparse_{k}", error, "published", "misread") for k, error in _KS.items()),
            Claim("the pixels themselves", "k_sparse_25", 7.20, "published", "misread_pixels"),
            Claim("25 rather than 10", "k_sparse_25", metric="misread", below="k = 10"),
            Claim("25 rather than 40", "k_sparse_25", metric="misread", below="k = 40"),
            *(Claim(f"squared error, k = {k}", f"k_sparse_{k}", metric="squared_error") for k in _KS),
        ),
        {f"k_sparse_{k}": _as_published("k_sparse", k=k) for k in _KS},
        tolerance=0.1,
    ),
    "keras_blog": Card(
        "One hidden layer of 32",
        "Chollet, Building Autoencoders in Keras, 2016: a 784-32-784 autoencoder, validation BCE",
        (
            Claim("after 50 epochs", "keras_blog", 0.09, "published", "bce"),
            Claim("the same with Muon", "keras_blog_muon", 0.09, "bar", "bce"),
        ),
        {
            "keras_blog": _BLOG,
            "keras_blog_muon": dataclasses.replace(_BLOG, optimizer="muon", learning_rate=0.02, schedule="one_cycle"),
        },
        tolerance=0.06,
    ),
    "vae_conv": Card(
        "The Keras example of a variational autoencoder",
        "keras.io, generative/vae: two numbers, 30 epochs; running means over training and test images together",
        (
            Claim("as published, running mean", "vae_conv_all", 146.95, "published", "running"),
            Claim("reconstruction, at the end", "vae_conv_all", 140.15, "published", "distortion"),
            Claim("KL term, at the end", "vae_conv_all", 6.80, "published", "rate"),
            Claim("test images kept apart", "vae_conv", 146.95, "bar", "elbo"),
        ),
        {"vae_conv_all": _as_published("vae_conv", dataset="mnist_with_test"), "vae_conv": _as_published("vae_conv")},
    ),
    "vae_dense": Card(
        "PyTorch's example of a variational autoencoder",
        "pytorch/examples, vae: 784-400-20, test loss after 10 epochs, as public repositories quote its output",
        (Claim("after 10 epochs", "vae_dense", 105.6, "published", "elbo"),),
        {"vae_dense": _as_published("vae_dense")},
    ),
    "vae_binary": Card(
        "Importance weighted autoencoders",
        "Burda, Grosse and Salakhutdinov, ICLR 2016, Table 1: 50 numbers, binarised MNIST, a bound from 5,000 codes",
        (
            Claim("trained with 1 code", "vae_binary", 86.76, "published", "bound"),
            Claim("trained with 5 codes", "vae_binary_5", 85.54, "published", "bound"),
            Claim("trained with 50 codes", "vae_binary_50", 84.78, "published", "bound"),
            Claim("trained with 1, measured with 1", "vae_binary", metric="elbo"),
        ),
        {
            "vae_binary": _as_published("vae_binary"),
            "vae_binary_5": _as_published("vae_binary", loss="iwae_5"),
            "vae_binary_50": _as_published("vae_binary", loss="iwae_50", epochs=8),
        },
        tolerance=0.01,
    ),
}  # fmt: skip
