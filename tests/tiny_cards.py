"""Two small cards in the place of the published ones, for tests that train."""

from cae_core.config import RunConfig
from cae_core.reproduction.claims import Card, Claim

BASE = RunConfig(
    dataset="strokes", num_train=100, architecture="dense_denoise", bottleneck=4, batch_size=20, epochs=4,
    schedule="constant",
)  # fmt: skip


def cards() -> dict[str, Card]:
    return {
        "two": Card(
            "Two runs",
            "a paper",
            (
                Claim("clean", "first", 1.0, "published", "bce"),
                Claim("after 1 epoch", "second", 0.5, "measured", "mse", ("gaussian", 0.5), epoch=1),
                Claim("at the end", "second", metric="squared_error", below="PCA"),
                Claim("PCA", "pca", 20.0, "bar", "squared_error"),
            ),
            {
                "first": BASE,
                "second": RunConfig(**{**BASE.to_dict(), "noise_kind": "gaussian"}),
                "pca": RunConfig(dataset="strokes", num_train=100, architecture="pca", bottleneck=3, loss="mse",
                                 output="linear", epochs=1),
            },
            starts={"second": "first"},
            seeds=2,
        ),
        "pca": Card(
            "Components",
            "this project",
            (Claim("3 components", "pca", 20.0, "bar", "squared_error"),),
            {"pca": RunConfig(dataset="strokes", num_train=100, architecture="pca", bottleneck=3, loss="mse",
                              output="linear", epochs=1)},
        ),
    }  # fmt: skip
