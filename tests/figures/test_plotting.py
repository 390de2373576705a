"""Figures of a live run: what is drawn, that it keeps its place, and that it is small."""

import base64
import math
import re
import subprocess
import sys
import xml.etree.ElementTree

import numpy as np
import pytest

from cae_core.figures import curves, plotting, small_plane
from cae_core.figures.pictures import PALETTE

DIGITS = [str(digit) for digit in range(10)]


def curve(n=40, epochs=4, label="run", high=0.7, low=0.1, **more):
    """Losses that fall from `high` to `low`."""
    x = np.linspace(epochs / n, epochs, n) if n else np.empty(0)
    m = np.arange(1, int(x[-1]) + 1 if n else 1)
    fall = lambda t: low + (high - low) * np.exp(-3 * (t - epochs / max(n, 1)))  # noqa: E731
    return plotting.Curve(label, x, fall(x), m, fall(m) + 0.01, **more)


def spec(figure):
    """The figure as Streamlit sends it: checked by Plotly, then JSON."""
    import plotly.io
    import plotly.tools

    return plotly.io.to_json(plotly.tools.return_figure_from_figure_or_data(figure, True), validate=False)


def names(figure):
    return [trace["name"] for trace in figure["data"] if trace["showlegend"]]


FIGURES = {
    "one": lambda: plotting.loss_curves([curve()], "BCE per pixel", mark=1.5, last_epoch=5),
    "four": lambda: plotting.loss_curves([curve(label=f"run {i}") for i in range(4)], "BCE per pixel"),
    "nothing yet": lambda: plotting.loss_curves([curve(0)], "BCE per pixel", last_epoch=5),
    "no run": lambda: plotting.loss_curves([], "BCE per pixel"),
    "plane": lambda: plotting.plane(np.random.default_rng(0).normal(size=(50, 2)), np.arange(50) % 10, DIGITS),
    "empty plane": lambda: plotting.plane(None, None, DIGITS),
    "no class": lambda: plotting.plane(None, None, []),
    "tradeoff": lambda: curves.tradeoff([curves.Line("a", *np.eye(2), 0), curves.Line("b", [], [], 1)], ("rate", "y")),
    "nowhere yet": lambda: curves.tradeoff([curves.Line("a", [], [], 0)], ("rate", "distortion")),
    "over sizes": lambda: plotting.over_sizes({"paper": ([2, 4], [9, 5])}, [("here", [2, 9], [8, 3])], ("k", "y")),
    "bars": lambda: curves.bars(["z₂", "z₁"], [2.5, 0.0], ("loud", "silent"), 0.01, ("k", "nats"), 1e-4),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_plotlys_keeps_its_place_and_says_values_on_hover(name):
    figure = FIGURES[name]()
    layout = figure["layout"]
    assert '"uirevision":"keep"' in spec(figure)
    assert layout["height"] in (220, 240, 260, 300)
    assert layout["margin"]["autoexpand"] is layout["xaxis"]["automargin"] is layout["yaxis"]["automargin"] is False
    assert "title" not in layout
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert layout["dragmode"] is False  # a finger on it scrolls the page
    assert all(trace["hovertemplate"].endswith("<extra></extra>") for trace in figure["data"])


def test_a_run_is_dashed_in_training_and_solid_held_out_and_of_several_each_has_its_colour():
    figure = plotting.loss_curves([curve()], "MSE per pixel")
    training, held_out = figure["data"]
    assert names(figure) == ["training", "held-out"]
    np.testing.assert_allclose(training["y"], curve().training, rtol=1e-6)
    np.testing.assert_allclose(held_out["x"], curve().held_out_epochs)
    figure = plotting.loss_curves([curve(label="a"), curve(label="b", colour=2)], "MSE per pixel")
    assert names(figure) == ["a", "b", "held-out", "training"]  # a key to the dashes
    lines = [trace["line"] for trace in figure["data"][:4]]
    assert [line["dash"] for line in lines] == ["dash", "solid"] * 2
    first, second = plotting.CURVE_COLOURS[0], plotting.CURVE_COLOURS[2]
    assert [line["color"] for line in lines] == [first, first, second, second]


@pytest.mark.parametrize(("low", "kind"), [(0.1, "log"), (0.2, "linear"), (0.0, "linear"), (-0.1, "linear")])
def test_the_loss_axis_is_logarithmic_where_that_tells_more(low, kind):
    high = 0.7
    run = plotting.Curve("", np.array([1, 2]), np.array([high, low]), np.empty(0), np.empty(0))
    axis = plotting.loss_curves([run], "BCE")["layout"]["yaxis"]
    assert axis["type"] == kind
    assert axis["title"]["text"] == ("BCE, log" if kind == "log" else "BCE")
    ends = 10.0 ** np.array(axis["range"]) if kind == "log" else axis["range"]
    assert ends[0] <= low + 1e-9
    assert ends[1] >= high - 1e-9


@pytest.mark.parametrize("losses", [[0.5], [0.0], [0.3, 0.3], [1e-7, 3e-7], [2e4, 5e4], [1e-9, 1e9], [0.1, 0.5000001]])
def test_every_loss_that_is_a_number_is_inside_an_axis_that_is_not_much_longer(losses):
    run = plotting.Curve("", np.arange(len(losses)), np.array(losses), np.arange(2), np.array([np.nan, np.inf]))
    axis = plotting.loss_curves([run], "MSE")["layout"]["yaxis"]
    scale = np.log10 if axis["type"] == "log" else np.asarray
    low, high = axis["range"]
    values = scale(np.array(losses))
    assert low - 1e-9 <= values.min() <= values.max() <= high + 1e-9
    if axis["type"] == "log":
        assert high - low < np.ptp(values) + 2 * math.log10(2.6)
    else:
        assert low < high <= low + 2.1 * max(np.ptp(values), max(losses) or 1)


def test_the_epoch_axis_stands_still_when_the_last_epoch_is_known():
    for n in (0, 1, 40):
        assert plotting.loss_curves([curve(n)], "BCE", last_epoch=9)["layout"]["xaxis"]["range"] == [0, 9]
    assert plotting.loss_curves([curve(40)], "BCE")["layout"]["xaxis"]["range"] == [0, 4]
    empty = plotting.loss_curves([curve(0)], "BCE")
    assert empty["layout"]["xaxis"]["range"] == [0, 1]
    assert names(empty) == ["training", "held-out"]
    assert [trace["x"] for trace in empty["data"]] == [[None], [None]]


def test_a_long_curve_is_thinned_and_keeps_its_last_point():
    for n in (399, 400, 401, 2345, 468_000):
        x = plotting.loss_curves([curve(n)], "BCE")["data"][0]["x"]
        assert len(x) <= plotting.MAX_POINTS
        assert x[-1] == np.float32(4)
        assert len(x) > plotting.MAX_POINTS / 2 - 1 or n < plotting.MAX_POINTS / 2


def test_each_class_has_its_colour_and_place_in_the_legend():
    z, labels = np.arange(40.0).reshape(20, 2), np.arange(20) % 10
    labels[labels == 9] = 8
    figure = plotting.plane(z, labels, DIGITS)
    assert names(figure) == DIGITS
    assert [trace["marker"]["color"] for trace in figure["data"]] == list(PALETTE)
    np.testing.assert_array_equal(figure["data"][3]["x"], [6, 26])
    assert "<br>%{x" in figure["data"][3]["hovertemplate"]
    assert figure["data"][3]["marker"]["line"]["width"] > 0
    assert figure["data"][9]["x"] == [None]


def test_both_axes_of_the_plane_have_one_scale():
    more = {"axes": ("first", "second"), "limits": (-3, 4)}
    layout = plotting.plane(np.zeros((1, 2)), np.zeros(1, int), DIGITS, **more)["layout"]
    assert plotting.plane(None, None, DIGITS, **more)["layout"] == layout
    assert layout["yaxis"]["scaleanchor"] == "x"
    assert layout["xaxis"]["range"] == layout["yaxis"]["range"] == [-3, 4]
    assert (layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]) == ("first", "second")


@pytest.mark.parametrize(
    ("z", "labels", "sentence"),
    [
        (np.zeros((3, 3)), np.zeros(3, int), "must be"),
        (np.zeros((3, 2)), np.zeros(2, int), "must be"),
        (np.zeros((3, 2)), np.array([0, 1, 10]), "every label needs one"),
    ],
)
def test_what_does_not_fit_is_refused(z, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        plotting.plane(z, labels, DIGITS)
    with pytest.raises(ValueError, match=r"held_out_epochs has shape \(2,\) and held_out \(3,\)"):
        plotting.Curve("", np.zeros(1), np.zeros(1), np.zeros(2), np.zeros(3))


def test_no_plotly_is_loaded_to_make_a_figure():
    probe = "from cae_core.figures import plotting\nplotting.loss_curves([], 'BCE')"
    probe = f"import sys\n{probe}\nprint('plotly' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, encoding="utf-8", timeout=60)
    assert done.stdout == "False\n"


def line(label="a", colour=0, n=5):
    return curves.Line(label, np.arange(n, dtype=float), np.linspace(0.1, 0.9, n), colour)


def test_lines_have_their_colours_and_share_axes():
    figure = curves.lines([line(), line("b", 3)], ("epoch", "share"), (0, 4), (0, 1), mark=2)
    assert names(figure) == ["a", "b"]
    assert [trace["line"]["color"] for trace in figure["data"]] == [plotting.CURVE_COLOURS[0], plotting.CURVE_COLOURS[3]]
    layout = figure["layout"]
    assert (layout["xaxis"]["range"], layout["yaxis"]["range"]) == ([0, 4], [0, 1])
    assert (layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]) == ("epoch", "share")
    assert [(shape["x0"], shape["x1"]) for shape in layout["shapes"]] == [(2, 2)]
    empty = curves.lines([line(n=0)], ("epoch", "share"), (0, 4))
    assert (names(empty), empty["layout"]["height"]) == (["a"], 200)


def test_a_tradeoff_joins_the_ends_in_their_order_and_holds_them_all():
    ways = [curves.Line("far", [1, 9, 8], [200, 60, 50], 0), curves.Line("near", [5, 3], [300, 90], 3)]
    joined, _, far, way, near = curves.tradeoff(ways, ("rate", "distortion"))["data"]
    np.testing.assert_array_equal((joined["x"], joined["y"]), [[3, 8], [90, 50]])
    assert [(*dot["x"], *dot["y"], dot["marker"]["color"]) for dot in (far, near)] == [
        (8, 50, plotting.CURVE_COLOURS[0]), (3, 90, plotting.CURVE_COLOURS[3]),
    ]  # fmt: skip
    np.testing.assert_array_equal(way["y"], [300, 90])
    layout = curves.tradeoff(ways, ("rate", "distortion"))["layout"]
    assert layout["xaxis"]["range"][0] <= 3 < 8 <= layout["xaxis"]["range"][1]
    assert layout["yaxis"]["range"][0] <= 50 < 90 <= layout["yaxis"]["range"][1] < 200
    far_apart = curves.tradeoff([*ways, curves.Line("farthest", [640], [30], 1)], ("rate", "distortion"))["layout"]
    assert far_apart["xaxis"]["type"] == "log"


def test_a_small_plane_holds_every_point_in_its_classs_colour_and_the_circle_says_the_scale():
    points, labels = np.array([[0, 0], [-30, 0], [0, 15]]), np.array([0, 3, 3])

    def drawing(circle):
        return base64.b64decode(small_plane.data_uri(points, labels, circle).partition("base64,")[2]).decode()

    svg = xml.etree.ElementTree.fromstring(drawing(2))
    (circle,), ways = (svg.findall(f"{{*}}{kind}") for kind in ("circle", "path"))
    assert [way.get("stroke") for way in ways] == [PALETTE[0], PALETTE[3]]
    places = [[float(number) for number in re.findall(r"[\d.]+(?=[ h])", way.get("d"))] for way in ways]
    assert places[0] == [100, 100]
    left, _, _, up = places[1]
    assert 0 < left < 10 < up < 60  # the second axis goes up
    assert float(circle.get("r")) == pytest.approx((100 - left) * 2 / 30, abs=0.1)
    assert 90 < float(xml.etree.ElementTree.fromstring(drawing(60)).find("{*}circle").get("r")) < 100


RACE = """
import sys, threading, time
import plotly.tools

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas.core.api":
            time.sleep(1)

def check(*given, **more):
    threading.Thread(target=__import__, args=("pandas",), daemon=True).start()
    while "pandas" not in sys.modules:
        time.sleep(0.001)
    return draw(*given, **more)

sys.meta_path.insert(0, Slow())
draw, plotly.tools.return_figure_from_figure_or_data = plotly.tools.return_figure_from_figure_or_data, check
from cae_core.figures import plotting
from pages.parts.common import show

curve = plotting.Curve("run", [0, 1], [2, 1], [0, 1], [2, 1])
show.chart(plotting.loss_curves([curve], "loss"), "chart", "a curve")
"""


def test_a_figure_is_drawn_when_another_thread_begins_to_import_what_plotly_asks_for_meanwhile():
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
