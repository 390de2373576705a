"""New images: codes drawn from the prior and decoded, whether one is a copy, and how many of them no class claims."""

import contextlib
from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets, runs
from cae_core.config import Bounds
from cae_core.figures import pictures
from cae_core.latent import gaps, generate, holes, posterior
from cae_core.latent.embedding import Codes
from cae_core.pretrained import name_of, vae_name
from cae_core.runtime.caching import cached
from pages.parts.common import missing, show, tables, waiting, widgets
from pages.parts.latent import selection
from pages.parts.session import component, state
from pages.parts.session.setting import Setting

FROM = {"prior": "Prior N(0, I)", "lattice": "Its lattice", "fitted": "Fitted normal"}
SETTINGS = {
    "drawn_from": Setting("prior", tuple(FROM)),
    "temperature": Setting(1.0, generate.TEMPERATURE),
    "draw_seed": Setting(0, Bounds(0, 9999, integer=True)),
    "sample": Setting(1, Bounds(1, generate.SHEET**2, integer=True)),
}
_HTML = '<div class="samples"><img draggable="false"><i></i></div>'
_SCRIPT = """
function draw({ data, parentElement, setTriggerValue }) {
  const [img, mark] = parentElement.querySelector(".samples").children, { side, sample } = data;
  Object.assign(img, { src: data.src, alt: data.alt });
  const place = [(sample - 1) % side, Math.floor((sample - 1) / side)].map(at => at * 100 / side + "%");
  Object.assign(mark.style, { left: place[0], top: place[1] });
  const at = (v, whole) => Math.min(Math.max(Math.floor(v / whole * side), 0), side - 1);
  img.onclick = event =>
    setTriggerValue("picked", at(event.offsetY, img.clientHeight) * side + at(event.offsetX, img.clientWidth) + 1);
}
"""
"""A sheet of samples, of which a click chooses one."""
_FROM_HELP = (
    "The **prior** is the distribution that the codes of a variational network are pressed into. The lattice, for codes of "
    "two numbers, has equally many codes of it between any two lines. The fitted one has the mean and the covariance of "
    "the codes of training images."
)
_HEADS = {"": "", "prior": "N(0, I)", "fitted": "a normal fitted to its codes", "images": "codes of test images"}


def draw(codes: Codes, now: dict) -> None:
    """The sheet, the chosen sample beside the training image nearest to it, and the gaps."""
    allowed = [key for key in FROM if key != "lattice" or codes.size == 2]
    if now["drawn_from"] not in allowed:  # a link made with two numbers
        state.change(drawn_from="prior")
        now = {**now, "drawn_from": "prior"}
    how = (codes, now["drawn_from"], now["draw_seed"], now["temperature"])
    left, right = st.columns([3, 2], gap="large")
    with left:
        widgets.segmented_control("Codes drawn from", allowed, format_func=FROM.get, key="drawn_from", help=_FROM_HELP)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            widgets.slider(
                "Temperature", generate.TEMPERATURE.low, generate.TEMPERATURE.high, step=0.1, key="temperature",
                help="How far from the middle codes are drawn: 1 is the distribution itself, 0 its middle alone.",
            )  # fmt: skip
            st.button(
                "Again", key="draw_again", icon=":material/casino:", disabled=now["drawn_from"] == "lattice",
                on_click=state.change, kwargs={"draw_seed": (now["draw_seed"] + 1) % 10_000},
            )  # fmt: skip
        try:
            _sheet(how, now["sample"])
        except datasets.DataError as error:  # there are no codes to fit anything to
            missing.say(codes.run.config.dataset, error)
            return
    key = (codes.run.name, codes.run.step)
    image = selection.index(codes, now["image"])
    with right, st.container(key="copied"):
        widgets.number_input("Sample, row by row", 1, generate.SHEET**2, step=1, key="sample")
        waiting.once("copied", key, lambda: _copies(how, now["sample"], image), _comparing, lambda: _compared(how, image))
    with st.container(key="gaps"):
        every = _networks(codes)
        waiting.once("gaps", key, lambda: _gaps(every), _comparing, lambda: [_row(*pair) for pair in every])


def _comparing() -> None:
    st.caption("Comparing with the training images …")


def _sheet(how: tuple, sample: int) -> None:
    def picked() -> None:
        try:
            state.change(sample=SETTINGS["sample"].allowed.check("sample", state.said("sheet", "picked")))
        except ValueError as error:
            st.toast(show.plain(str(error)))

    alt = f"{generate.SHEET**2} images, of codes from: {FROM[how[1]]}; temperature {how[3]:g}"
    data = {"src": _source(*how), "alt": alt, "side": generate.SHEET, "sample": sample}
    component.mount("sheet", _SCRIPT, data, looks={"html": _HTML, "isolate_styles": False}, on_picked_change=picked)


@cached(most=8)
def _source(*how) -> str:
    x_hat = generate.sheet(*how)
    picture = pictures.image_grid(list(x_hat.reshape(generate.SHEET, generate.SHEET, *x_hat.shape[1:])), gap=0)
    return pictures.data_uri(pictures.png(picture[..., 0] if x_hat.shape[3] == 1 else picture))


def _compared(how: tuple, image: int) -> tuple:
    """What is nearest to the samples and to a test image, and how far real images usually are."""
    return *generate.copied(*how), *generate.copied_by_test(how[0], image), generate.usual_errors(how[0].run)


def _copies(how: tuple, number: int, image: int) -> None:
    """The chosen sample and a real test image, each beside the training image nearest to it."""
    try:
        images, errors, of_test, error_of_test, usual = _compared(how, image)
    except datasets.DataError:
        st.caption("The images that this network was trained on are not on this machine, so nothing tells what is a copy.")
        return
    nearest, error = images[number - 1], errors[number - 1]
    closer = float(np.mean(usual < error))
    rows = [
        (f"Sample {number}", generate.sheet(*how)[number - 1], f"sample {number}"),
        (f"Nearest training image, MSE {error:.4f}", nearest, f"the training image nearest to sample {number}"),
        (f"Test image {image:,}", how[0].images([image])[0], f"test image {image}"),
        (f"Nearest training image, MSE {error_of_test:.4f}", of_test, f"the training image nearest to test image {image}"),
    ]
    st.html(f'<div class="chosen"><h2>Is it a copy?</h2><div class="tiles large">{selection.tiles(rows)}</div></div>')
    show.facts(
        [
            ("All samples", f"{np.median(errors):.4f}"),
            ("Test images", f"{np.median(usual):.4f}"),
            ("Nearer ones", show.percent(closer)),
        ]
    )
    st.caption(
        f"A copy would be at 0. The figures: the median MSE of all samples and of {generate.TESTS} real test images to the "
        "training image nearest to each, and how many of these are nearer to theirs than this sample is. No network has "
        "learnt test images by heart, so theirs is how far new digits are. A blurred picture is nearer to everything."
    )


def _networks(codes: Codes) -> list[tuple[str, runs.Run]]:
    """This network and, of the same data set and size, the shipped one of the other kind, if there is one."""
    run, config = codes.run, codes.run.config
    if posterior.is_variational(codes):
        own, name = f"Variational, β {config.beta:g}", name_of(config.dataset, codes.size, "bce", "clean")
        other = "Plain"
    else:
        own, other, name = "Plain", "Variational, β 1", vae_name(config.dataset, codes.size)
    networks = [(f"{own} (this one)", run)]
    with contextlib.suppress(runs.RunError):  # there is none, or it is damaged
        runs.model(runs.network(name))
        networks.append((other, runs.network(name)))
    return networks


def _row(label: str, run: runs.Run) -> tuple[str, list[str]]:
    names, cells = datasets.DATASETS[run.config.dataset].class_names, []
    for drawn_from in filter(None, _HEADS):
        share = gaps.of_samples(run, drawn_from)
        mostly = f"mostly {escape(names[share.most])}, {show.percent(share.most_share)}"
        cells.append(f"{show.percent(share.unclaimed)} <small>{mostly}</small>")
    return label, cells


def far(run: runs.Run) -> float:
    """How far from 0 the codes of a run's training images lie, their median."""
    return float(np.median(np.linalg.norm(holes.training_codes(run, generate.FITTED_TO), axis=1)))


def _gaps(every: list[tuple[str, runs.Run]]) -> None:
    """The share of samples that no class claims, and where the codes lie."""
    run = every[0][1]
    try:
        rows, distance = [_row(*pair) for pair in every], far(run)
    except datasets.DataError:
        st.caption("The images that this network was trained on are not on this machine, so no class can claim a sample.")
        return
    usual = np.median(np.linalg.norm(generate.draw(run.code_size, 2_000, 0), axis=1))
    st.markdown(
        f"**Gaps: samples that no class claims.** Half of this network's codes lie more than {distance:.3g} from 0, "
        f"half of those of N(0, I) more than {usual:.2g}."
    )
    tables.figures(tuple(_HEADS.values()), rows)
    st.caption(
        f"Of {gaps.SAMPLES} pictures each. A class **claims** a picture if at least {gaps.AGREE} of the {gaps.K} training "
        "images most like it are of that class, and the first of them is as like it as such an image is to 95 of 100 real "
        "test images. Nothing asks a plain network's codes to lie where N(0, I) has its own: of two numbers it meets a "
        "small spot of the plane, and one or two classes come up again and again; of many numbers it misses them all."
    )
