"""The Latent page without a browser: what is chosen and shown, links, what comes back from the plane, and its claims."""

import base64
import io
import re

import claims
import numpy as np
import pytest
from claims import answer
from PIL import Image
from shown import ShownLatent

from cae_core import datasets, runs
from cae_core.latent import embedding, gaps, generate, holes, manifold, neighbours, posterior
from cae_core.pretrained import VARIATIONAL, name_of, vae_name
from pages.parts.latent import code_sliders, generate_view, interpolate, number_view, plane_view
from pages.parts.latent.questions import questions, ten


class Latent(ShownLatent):
    """One visitor's Latent page."""

    @property
    def mark(self):
        """What the plane is told that is chosen."""
        return self.component("mark")["mark"]


@pytest.fixture(scope="module")
def codes():
    return embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 500)


def test_opens_with_two_numbers_and_an_image_and_the_browser_draws_the_codes(codes):
    page = Latent(points=500, even="off")
    assert page.troubles == []
    assert page.query["bottleneck"] == "2"
    assert page.mark == {"image": 0}
    data = page.component("points")
    assert data["axes"] == ["z₁", "z₂"]
    assert data["names"] == [str(digit) for digit in range(10)]
    assert [alt for alt in page.alts if "test image 0" in alt]
    nearest, far = neighbours.nearest(codes.z, codes.z[0], 5, without=0)
    shown = [int(re.search(r"test image (\d+)", alt)[1]) for alt in page.alts if alt.startswith("neighbour")]
    assert shown == nearest.tolist()
    assert all(f"<small>{distance:.3g}</small>" in page.html for distance in far)
    compared = neighbours.compare(codes)
    for figures in (compared.codes, compared.linear):
        assert f"<span>{100 * figures.accuracy:.1f} %</span>" in page.html
    packed = np.frombuffer(base64.b64decode(data["points"]), "<u2").reshape(-1, 2) / 65535
    left, right, bottom, top = data["extent"]
    shares = packed * [right - left, top - bottom] + [left, bottom]
    ends = np.array([data["across"], data["up"]])
    drawn = ends[:, 0] + shares * (ends[:, 1] - ends[:, 0])
    np.testing.assert_allclose(drawn, codes.z, atol=1e-4 * np.ptp(codes.z))
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(data["labels"]), np.uint8), codes.labels)


@pytest.mark.parametrize("bottleneck", [2, 4, 128])
def test_axes_are_the_numbers_or_the_components_asked_for(bottleneck):
    page = Latent(points=500, bottleneck=bottleneck, grid_behind="on", components="4-5")
    assert page.messages("error") == []
    data = page.component("points")
    assert data["behind"].startswith("data:image/png")
    expected = "z₁" if bottleneck == 2 else "component 1" if bottleneck == 4 else "component 4"
    assert data["axes"][0].startswith(expected)


SIGNS = {
    "manifold": lambda page: any("lattice of 20 by 20" in alt for alt in page.alts),
    "interpolate": lambda page: any("decoded from equal steps" in alt for alt in page.alts),
    "sliders": lambda page: page.has("move_1"),
    "units": lambda page: any("16 units adds to a picture" in alt for alt in page.alts),
    "neighbours": lambda page: "A guess would be right" in page.text,
    "export": lambda page: "vectors.tsv" in page.text,
    "generate": lambda page: page.has("draw_again"),
    "numbers": lambda page: any("no KL divergence" in text for text in page.messages("info")),
}
"""How each part can be told from the others."""


def test_every_part_of_longer_codes_whose_shadow_has_no_holes():
    page = Latent(points=500, bottleneck=16, part="numbers")
    for part in SIGNS:
        assert page.set(part=part).messages("error") == []
        assert [name for name, is_there in SIGNS.items() if is_there(page)] == [part]
    assert page.component("points")["holes"] == []
    assert page.widget("holes").disabled
    assert not page.has("look_into_hole")


def test_spot_of_a_link_is_decoded_and_beyond_the_plane_is_its_edge(codes):
    page = Latent(points=500, spot="10.5,-3")
    assert (page.mark, page.query["spot"]) == ({"spot": [10.5, -3]}, "10.5,-3")
    assert any(alt.startswith("the image decoded at (10.5, −3)") for alt in page.alts)
    nearest, _ = neighbours.nearest(codes.z, np.array([10.5, -3]), 1)
    assert f"test image {nearest[0]}, the nearest" in page.alts
    page.set(image=7)  # choosing an image by number leaves the spot
    assert (page.mark, page.query["spot"]) == ({"image": 7}, "")
    page = Latent(points=500, spot="1e6,0")
    assert page.messages("warning") == []
    assert not any("1e+06" in alt for alt in page.alts)


def test_holes_are_marked_and_the_button_looks_into_one_after_the_other():
    page = Latent()
    codes = embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 2000)
    plane = embedding.plane(codes)
    marked = holes.find(codes, plane, embedding.scale(plane, True))
    assert len(marked) > 1
    assert page.component("points")["holes"] == [[*hole.middle, hole.radius] for hole in marked]
    says = page.component("points")["description"]
    assert says.startswith("2,000 codes of test images of Strokes, in 10 classes. Class 0: ")
    assert says.count(" codes, its centre ") == 10
    assert says.count("Hole ") == len(marked)
    for hole in (*marked, marked[0]):
        page.press("look_into_hole")
        np.testing.assert_allclose(page.mark["spot"], hole.spot, rtol=1e-3)
        assert "in a hole</h2><p>Training only ever asked the decoder about codes of images" in page.html
        asked = holes.asked(codes, plane, embedding.scale(plane, True), hole)
        assert page.facts["Training codes here"] == f"{asked.inside} of 5,000; usually {asked.usual:,}"
    page.set(holes=False)
    assert (page.component("points")["holes"], page.query["holes"]) == ([], "off")
    assert not page.has("look_into_hole")
    assert "in a hole" not in page.html


def test_area_and_path_of_a_link_are_shown(codes):
    (left, bottom), (right, top) = codes.z[0] - 8, codes.z[0] + 8
    page = Latent(points=500, area=",".join(f"{v:.3g}" for v in (left, bottom, right, bottom, right, top, left, top)))
    inside = embedding.within(codes.z, np.array(page.mark["area"]))
    assert 0 in inside
    assert f"<h2>{len(inside):,} images</h2>" in page.html
    assert Latent(points=500, area="0,0,0.001,0,0,0.001").html.count("No images") == 1
    page = Latent(points=500, path="0,0,20,20,0,30")
    assert any("20 images decoded along the path" in alt for alt in page.alts)
    assert page.mark == {"path": [[0, 0], [20, 20], [0, 30]]}


def test_images_go_from_the_plane_to_the_interpolation():
    page = Latent(points=500, image=9999)
    assert "<h2>Image 499: " in page.html  # beyond the points shown it is the last
    page.set(image=12).press("as_B")
    assert (page.query["part"], page.query["image_b"]) == ("interpolate", "12")
    assert page.mark == {"image": 12, "pair": {"A": 0, "B": 12}}
    assert any("from test image 0 to 12, decoded" in alt for alt in page.alts)


def test_sliders_move_the_code_by_standard_deviations():
    run = runs.find("strokes-b4-bce-clean")
    codes = embedding.encode(run, "strokes", 500)
    step, names = code_sliders.moves(codes)
    assert names == ["z₁", "z₂", "z₃", "z₄"]
    np.testing.assert_allclose(step, np.diag(codes.z.std(axis=0)), rtol=1e-5)
    page = Latent(points=500, bottleneck=4, part="sliders", move_2="1.5")
    assert page.widget("move_2").value == 1.5
    assert not page.has("move_5")
    moved = page.html
    assert page.set(move_2=0.0).html != moved


def test_sliders_of_long_codes_are_their_principal_directions():
    codes = embedding.encode(runs.find("strokes-b16-bce-clean"), "strokes", 500)
    step, names = code_sliders.moves(codes)
    assert len(names) == 8
    coordinates = (codes.z - codes.z.mean(axis=0)) @ (step / np.linalg.norm(step, axis=1, keepdims=True)).T
    np.testing.assert_allclose(np.linalg.norm(step, axis=1), coordinates.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose(np.corrcoef(coordinates.T), np.eye(8), atol=1e-3)


def sheet(page):
    """The hundred samples that a page shows, `(100, 28, 28)` uint8."""
    png = base64.b64decode(page.component("sample")["src"].partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(png))).reshape(10, 28, 10, 28).swapaxes(1, 2).reshape(100, 28, 28)


def test_samples_of_the_prior_are_decoded_and_again_draws_others():
    run = runs.find("strokes-vae-b2")
    page = Latent(points=500, run=run.name, part="generate", sample=42, temperature=0.5)
    for seed in (0, 1):
        z = np.random.default_rng(seed).standard_normal((100, 2), np.float32) / 2
        x_hat = embedding.decode(run, z)
        np.testing.assert_array_equal(sheet(page), np.rint(255 * x_hat[..., 0]).astype(np.uint8))
        train = datasets.load("strokes", "train").x[: run.num_train].astype(np.float32) / 255
        error = min(np.square(part - x_hat[41]).mean(axis=(1, 2, 3)).min() for part in np.split(train, 10))
        assert f"Nearest training image, MSE {error:.4f}" in page.html
        page.press("draw_again")
    assert page.query["draw_seed"] == "2"
    assert page.component("points")["clouds"] == []  # nobody has asked for them
    x, y, radius = page.component("points")["prior"]
    assert (x, y, round(radius, 2)) == (0, 0, 2.45)
    rows = {label: [cell.split(" <")[0] for cell in cells] for label, cells in page.lines.items()}
    assert [label for label in rows if label] == ["Variational, β 1 (this one)", "Plain"]
    assert all(re.match(r"\d+ % mostly \d, \d+ %", cell) for label in rows if label for cell in rows[label])
    page.set(drawn_from="lattice", circles=True, temperature=1.0)
    np.testing.assert_array_equal(
        sheet(page), np.rint(255 * embedding.decode(run, generate.lattice(10))[..., 0]).astype(np.uint8)
    )
    codes = embedding.encode(run, "strokes", 500)
    drawn = posterior.ellipses(codes, embedding.plane(codes))
    np.testing.assert_allclose(page.component("points")["clouds"], drawn, atol=1e-4)
    assert page.widget("draw_again").disabled


def test_sliders_and_rows_show_that_a_silent_number_changes_nothing():
    page = Latent(points=500, run="strokes-vae-b32", part="sliders")
    labels = [page.widget(f"move_{place}").label for place in range(1, 9)]
    assert ["silent" in label for label in labels] == [False] * 5 + [True] * 3
    (before,) = [alt for alt in page.alts if "after the sliders" in alt]
    still = page.picture(before)
    moved = page.set(move_8=3.0).picture(before)
    assert np.abs(moved.astype(int) - still).max() < 26
    assert np.abs(page.set(move_8=0.0, move_1=3.0).picture(before).astype(int) - still).max() > 100
    page.set(part="numbers")
    rates = posterior.numbers(runs.find("strokes-vae-b32"), "strokes").rates
    assert page.facts["Silent numbers"] == f"{(rates < 0.01).sum()} of 32"
    others = [name for name, config in VARIATIONAL.items() if config.dataset == "strokes"]
    assert len(others) == len([label for label in page.lines if "numbers, β" in label]) > 2
    assert page.lines["32 numbers, β 1"][-1] == f"{(rates < 0.01).sum()}"
    rows = [page.picture(alt).reshape(28, -1, 28, 3).astype(int) for alt in page.alts if "moved from" in alt]
    ranges = [np.ptp(row, axis=1).max() for row in rows]
    assert ranges[0] > 100 > 26 > ranges[-1]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"image": 12}, {"image": 12}),
        ({"spot": [1.23456, -2]}, {"spot": ("1.235", "-2")}),
        ({"area": [[0, 0], [1, 0], [1, 1]]}, {"area": ("0", "0", "1", "0", "1", "1")}),
        ({"path": [[0, 0], [1.5, 2]]}, {"path": ("0", "0", "1.5", "2")}),
    ],
)
def test_what_the_plane_sends_becomes_the_setting_and_clears_the_others(sent, expected):
    assert plane_view.check(sent, 500) == {**plane_view.NOTHING, **expected}


def test_anything_else_from_the_browser_is_refused():
    for sent in (
        None, 3, "image", [], {}, {7: 1}, {"other": 1}, {"image": 1, "spot": [0, 0]},
        {"image": 500}, {"image": -1}, {"image": "x"}, {"image": True}, {"image": 1.5}, {"image": [1]}, {"image": None},
        {"spot": [1]}, {"spot": [1, 2, 3]}, {"spot": "1,2"}, {"spot": [float("nan"), 0]}, {"spot": [float("inf"), 0]},
        {"spot": [None, 0]}, {"spot": [True, 0]}, {"spot": [[1], 2]},
        {"area": [[0, 0], [1, 1]]}, {"area": [[0, 0]] * 21}, {"area": {"0": 1}}, {"area": [[0, 0], [1], [2, 2]]},
        {"path": [[0, 0]]}, {"path": [["a", "b"], [0, 0]]}, {"path": [[10**400, 0], [0, 0]]},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            pytest.fail(f"{sent} was taken as {plane_view.check(sent, 500)}")


def test_what_is_missing_or_does_not_fit_is_named(tmp_path, monkeypatch, save_run, forget_data):
    page = Latent(dataset="mnist")
    assert page.has("download")
    assert page.messages("error") == []
    save_run("mine")
    (error,) = Latent(run="mine", points=500).messages("error")
    assert "8 × 12" in error  # of such images
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path)
    (error,) = Latent().messages("error")
    assert "strokes-b2-bce-clean" in error


# What the questions say, on the shipped models.


def asked(dataset, name, *sentences):
    return claims.asked(questions(dataset)[name], *sentences)


def codes_of(dataset, question, bottleneck=None):
    on = question.settings
    run = runs.find(name_of(dataset, bottleneck or on["bottleneck"], on["loss"], on["trained_on"]))
    return embedding.encode(run, dataset, on["points"])


def test_two_numbers_tell_classes_better_than_two_of_pca(dataset):
    question = asked(dataset, "no_labels", "over 20 percentage points apart")
    compared = neighbours.compare(codes_of(dataset, question))
    assert compared.linear_size == 2
    told, gap = compared.codes.accuracy, compared.codes.accuracy - compared.linear.accuracy
    answer(question, told < 0.15, abs(gap) < 0.05, told > 0.5 and gap > 0.2)


def test_with_many_numbers_pca_catches_up(dataset):
    question = asked(
        dataset, "much_room", "With 2 numbers the network is over 20 percentage points ahead", "How far with 32?"
    )
    compared = neighbours.compare(codes_of(dataset, question))
    assert compared.linear_size == question.settings["bottleneck"] == 32
    gap = compared.codes.accuracy - compared.linear.accuracy
    answer(question, gap > 0.2, 0.07 < gap < 0.13, 0 < gap < 0.03)


def test_better_pictures_are_no_better_codes(dataset):
    question = asked(dataset, "sharper", "falls to less than an eighth", "right for 93 images in 100")
    few, many = (codes_of(dataset, question, size) for size in (8, None))
    assert (few.size, many.size) == (8, 64)
    x = few.images()
    errors = [np.mean((embedding.decode(codes.run, codes.z) - x) ** 2) for codes in (few, many)]
    assert errors[1] < errors[0] / 8
    before, after = (neighbours.separation(codes.z, codes.labels).accuracy for codes in (few, many))
    assert round(before, 2) == 0.93
    answer(question, after > before, 0.95 * before < after <= before, after < 0.6 * before)
    assert f"MSE {few.run.metrics['clean']['mse']:.4f} and " in question.measured({"dataset": dataset})


def test_the_other_side_shows_less(dataset):
    question = asked(
        dataset, "other_side", "Components 4 and 5 show less of the variance than 1 and 2", "fewer than half of the images"
    )
    assert (question.settings["bottleneck"], question.settings["components"]) == (16, "4-5")
    codes = codes_of(dataset, question)
    first, other = embedding.plane(codes, (1, 2)), embedding.plane(codes, (4, 5))
    assert sum(other.explained) < sum(first.explained)
    wide, flat = (neighbours.separation(z, codes.labels).accuracy for z in (codes.z, other.points))
    assert flat < 0.5
    answer(question, wide < flat + 0.05, 0.4 < wide < 0.6, wide > 0.9)


def test_half_way_through_the_code_is_less_grey(dataset):
    question = asked(dataset, "half_way", "less than half as many grey pixels")
    on, codes = question.settings, codes_of(dataset, question)
    assert codes.labels[on["image_a"]] != codes.labels[on["image_b"]]
    through_codes, through_pixels = interpolate.ways(codes, on["image_a"], on["image_b"])
    middle = interpolate.STEPS // 2
    np.testing.assert_allclose(through_pixels[middle], codes.images([0, 1]).mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(
        through_codes[0], embedding.decode(codes.run, manifold.straight(codes.z[0], codes.z[1], 2))[0], atol=1e-4
    )
    greys = [interpolate.grey(way[middle]) for way in (through_codes, through_pixels)]
    moved = min(np.mean((through_codes[middle] - through_codes[end]) ** 2) for end in (0, -1))
    answer(question, greys[0] > 0.8 * greys[1], moved < 0.01, greys[0] < greys[1] / 2 and moved > 0.03)


def test_a_hole_decodes_to_another_shape_than_its_nearest_codes(dataset):
    question = asked(dataset, "no_code", "nothing makes the answer a digit, or like the images with the nearest codes")
    codes = codes_of(dataset, question)
    spot = plane_view.places(question.settings["spot"])
    plane = embedding.plane(codes)
    scale = embedding.scale(plane, even=True)  # as the page opens
    offsets = scale.shares(plane.points) - scale.shares(spot)
    far = np.linalg.norm(offsets, axis=1)
    around = offsets[far < 2 * far.min()]
    assert far.min() > 0.06  # of the picture's side
    assert len({(x > 0, y > 0) for x, y in around}) == 4

    shape, usual = embedding.decode(codes.run, spot)[0], embedding.decode(codes.run, codes.z)
    train = datasets.load(dataset, "train")
    x = datasets.as_float(train.x[:10_000])
    apart = ((shape - x) ** 2).mean(axis=(1, 2, 3))
    looks_like = np.bincount(train.y[apart.argsort()[:20]]).argmax()
    lies_among = np.bincount(codes.labels[neighbours.nearest(codes.z, spot[0], 20)[0]]).argmax()
    ink = shape.mean() / usual.mean()
    is_shape = 0.5 < ink < 2 and interpolate.grey(shape) < 0.3 and looks_like != lies_among
    rough = np.abs(np.diff(shape, axis=0)).mean() / np.abs(np.diff(usual, axis=1)).mean()
    answer(question, shape.max() < 0.1, interpolate.grey(shape) > 0.4 or rough > 2, apart.min() < 0.01, is_shape)


def test_the_sampled_ones_of_ten_are_those_that_are_no_test_images(dataset):
    question = asked(dataset, "sampled", "at least twice as often as test images do")
    run = runs.find(question.settings["run"][0])
    coded = runs.model(run).reconstruct(datasets.as_float(datasets.load(dataset, "test").x[:50])).reshape(50, -1)
    far = [np.abs(coded - picture.ravel()).max(axis=1).min() for picture in ten(dataset)]
    sampled = {number for number, distance in enumerate(far, 1) if distance > 0.1}
    assert all(distance > 0.1 or distance < 1e-5 for distance in far)
    answer(question, *(set(map(int, re.findall(r"\d+", text))) == sampled for text in question.answers))
    samples, images = (gaps.of_samples(run, kind).unclaimed for kind in ("prior", "images"))
    assert samples >= 2 * images
    assert question.measured({"dataset": dataset}).startswith(f"no class claims {100 * samples:.0f} % of samples and ")


def test_samples_of_a_plain_network_are_one_or_two_classes(dataset):
    question = asked(dataset, "plain_prior", "half of them are more than 20 away", "gives at least eight of the classes")
    counts = []
    for name in (name_of(dataset, 2, "bce", "clean"), vae_name(dataset, 2)):
        codes = embedding.encode(runs.find(name), dataset, 500)
        x = generate.sheet(codes, "prior", 0, 1.0)  # as the page opens
        train = datasets.load(dataset, "train")
        like = gaps.likeness(x, train.x[:5000])
        counts.append(np.sort(np.bincount(gaps.claims(like, train.y[:5000].astype(int), 0.0) + 1, minlength=11)[1:])[::-1])
    plain, variational = counts
    assert generate_view.far(runs.find(name_of(dataset, 2, "bce", "clean"))) > 20
    assert (variational > 0).sum() >= 8
    answer(question, plain[7] > 0, plain.sum() < 50, plain[:2].sum() >= 0.9 * plain.sum() > 45)


def test_a_normal_fitted_to_plain_codes_leaves_more_gaps(dataset):
    question = asked(dataset, "fitted", "with 32 numbers")
    on = question.settings
    assert (on["bottleneck"], on["drawn_from"]) == (32, "fitted")
    plain = gaps.of_samples(runs.find(name_of(dataset, 32, on["loss"], on["trained_on"])), "fitted").unclaimed
    ratio = plain / gaps.of_samples(runs.find(vae_name(dataset, 32)), "prior").unclaimed
    answer(question, ratio < 0.9, 0.9 <= ratio <= 1.1, ratio >= 4 / 3)


def test_a_silent_number_changes_nothing(dataset):
    question = asked(dataset, "silent", "Over ten of the 32 do not", "from −3 to 3")
    codes = embedding.encode(runs.find(question.settings["run"][0]), dataset, 500)
    numbers = posterior.numbers(codes.run, codes.dataset)
    assert numbers.silent.sum() > 10
    quiet, loud = (
        number_view.walks(codes, [int(p) for p in places]) for places in (np.flatnonzero(numbers.silent), numbers.order[:1])
    )
    change, fades = np.ptp(quiet, axis=1).max(), np.abs(np.ptp(quiet.mean(axis=(2, 3, 4)), axis=1)).max()
    assert np.ptp(loud, axis=1).max() > 0.5
    answer(question, change > 0.5, fades > 0.02, change < 0.2)  # at the most in a single pixel
