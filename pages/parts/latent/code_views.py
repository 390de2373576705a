"""Views of all codes: the plane decoded on a lattice, how well classes separate, and the codes as files."""

from html import escape

import streamlit as st

from cae_core import datasets
from cae_core.export import projector
from cae_core.figures import pictures
from cae_core.latent import manifold, neighbours
from cae_core.latent.embedding import Codes, Plane, Scale
from cae_core.latent.neighbours import Separation
from cae_core.runtime.caching import cached
from pages.parts.common import show, tables, widgets
from pages.parts.session.setting import Setting

SIDES = (10, 15, 20, 25, 30)
SETTINGS = {"grid_side": Setting(20, SIDES)}


def lattice(codes: Codes, plane: Plane, scale: Scale, now: dict) -> None:
    """The manifold grid beside the words for it."""
    n = now["grid_side"]
    left, right = st.columns([3, 2], gap="large")
    with left:
        alt = f"The plane decoded on a lattice of {n} by {n} images"
        src = _source(codes, plane, scale, n)
        st.html(f'<div class="chosen"><img class="sheet whole" src="{src}" alt="{alt}"></div>')
    with right:
        widgets.select_slider("Images per side", SIDES, key="grid_side")
        st.markdown(
            "Each little picture is what the decoder makes of the **code** at its place: this is the plane above, from "
            "edge to edge, with pictures instead of points. Neighbouring places decode to similar pictures, so one class "
            "turns into the next; where no training image was near, the pictures belong to no class."
        )
        st.download_button(
            show.DOWNLOAD, lambda: pictures.png(manifold.lattice(codes.run, plane, scale, n)),
            file_name=f"{codes.run.name}-manifold.png", mime="image/png",
            key="save_lattice", icon=show.DOWNLOAD_ICON,
        )  # fmt: skip


@cached(most=8)
def _source(codes: Codes, plane: Plane, scale: Scale, n: int) -> str:
    """The lattice as it stands in an image's `src`; grey in one channel, a third of the bytes."""
    picture = manifold.lattice(codes.run, plane, scale, n)
    return pictures.data_uri(pictures.png(picture[..., 0] if codes.run.image_shape[2] == 1 else picture))


def facts(codes: Codes, plane: Plane, compared: neighbours.Comparison | None = None) -> None:
    """The numbers that matter, under the plane; before the comparison is there, its places."""
    show.facts(
        [
            ("Class right by 5 neighbours", show.percent(compared.codes.accuracy, 1) if compared else "…"),
            ("The same with PCA", show.percent(compared.linear.accuracy, 1) if compared else "…"),
            ("The plane shows", f"{show.percent(sum(plane.explained))} of the variance"),
            ("Codes", f"{len(codes.z):,} × {codes.size:,} numbers"),
        ]
    )


def separation(codes: Codes, compared: neighbours.Comparison) -> None:
    """How well the classes keep together, against the linear code."""
    names = datasets.DATASETS[codes.dataset].class_names

    def row(label: str, size: int, result: Separation) -> tuple[str, tuple[str, ...]]:
        hardest = f"{escape(names[result.hardest])}, {show.percent(result.hardest_accuracy)} right"
        return label, (f"{size:,}", show.percent(result.accuracy, 1), hardest, escape(names[result.mistaken_for]))

    rows = [row("The network's codes", codes.size, compared.codes), row("PCA", compared.linear_size, compared.linear)]
    tables.figures(("", "numbers", "right", "hardest class", "most often taken for"), rows)
    few = compared.num_images < len(codes.z)
    which = f"first {compared.num_images:,} of the {len(codes.z):,}" if few else f"{compared.num_images:,}"
    st.markdown(
        f"Each of the {which} images shown is given the class that most of its **{neighbours.K} nearest neighbours** have, "
        "not counting itself; the table shows how often that is right. A guess would be right about one time in ten. "
        "Training used no labels: what is right here the network found out from the pictures alone. "
        "**PCA** is the linear code with the least squared error, fitted to "
        f"{neighbours.LINEAR_IMAGES:,} training images; where it comes close, the network gained little for *telling "
        "classes apart*, though its pictures may still be sharper."
    )


def export(codes: Codes) -> None:
    """The codes for TensorBoard's embedding projector."""
    n = projector.num_images(len(codes.z), codes.size)
    entry = datasets.DATASETS[codes.dataset]

    def make() -> bytes:
        x = datasets.load(codes.dataset, "test").x[:n]
        return projector.archive(codes.z[:n], codes.labels[:n], entry.class_names, x, codes.run.name)

    st.markdown(
        f"The {n:,} codes with all their {codes.size:,} numbers, for the **embedding projector** of TensorBoard, which "
        "shows them in three dimensions and draws t-SNE and UMAP maps of them: `vectors.tsv`, `metadata.tsv` with the "
        "classes, `sprite.png` with the images, and `projector_config.pbtxt`, which ties them together. Unpack the folder "
        "and run `tensorboard --logdir .` in it."
    )
    st.download_button(
        "Download for the projector", make, file_name=f"{codes.run.name}-projector.zip", mime="application/zip",
        key="save_projector", icon=show.DOWNLOAD_ICON,
    )  # fmt: skip
