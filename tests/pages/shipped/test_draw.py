"""The Draw page without a browser: what it shows of a drawing, links, files, what the pad may send, and what goes wrong."""

import functools
import io
import re

import numpy as np
import pytest
from claims import answer, asked
from PIL import Image
from shown import ShownPage

from cae_core import runs, runtime
from cae_core.corruptions import corrupt
from cae_core.inference import novelty
from cae_core.inputs import drawing, gallery
from cae_core.pretrained import name_of
from pages.parts.draw import pad, questions

DEFAULTS = {
    "dataset": "strokes", "noise_kind": "gaussian", "added_noise": "0", "bottleneck": "32", "loss": "bce",
    "trained_on": "mixed", "models": "strokes-b8-bce-mixed", "centred": "on", "ready": "three", "ink": "auto", "seed": "0",
}  # fmt: skip


class Shown(ShownPage):
    """One visitor's Draw page."""

    FILE = "draw.py"

    @property
    def boxes(self):
        return self.troubles + self.messages("info")

    @property
    def empty(self):
        """Which places are kept for pictures: "waiting" for a network, or "blank"."""
        return re.findall('class="(waiting|blank)"', self.html)

    def sent(self, has):
        """What a component was given that has this, without the moment."""
        return {name: value for name, value in self.component(has).items() if name != "at"}

    def tile(self, start):
        """The one tile whose alternative text begins so, `(28, 28, 3)` uint8."""
        return self.picture(*[alt for alt in self.alts if alt.startswith(start)])

    @property
    def reconstructed(self):
        """By which networks, in the words of the pictures."""
        return re.findall(r"^reconstructed by (.*), mean", "\n".join(self.alts), re.MULTILINE)


def grey(image):
    return np.repeat(np.rint(np.clip(image.reshape(28, 28, 1), 0, 1) * 255).astype(np.uint8), 3, axis=2)


@pytest.fixture(scope="module", autouse=True)
def references():
    """The errors of the test images, which the page has made in the background."""
    runtime.ready(600)
    return [novelty.reference(runs.find(f"strokes-b{size}-bce-mixed")) for size in (8, 32)]


def test_opens_with_a_ready_drawing_through_two_networks(asked_hosts):
    page = Shown()
    assert page.query == DEFAULTS
    assert page.boxes == []
    assert page.empty == []
    x = drawing.to_network(gallery.picture("three"), True)
    np.testing.assert_array_equal(page.tile("your drawing"), grey(drawing.shrink(gallery.picture("three"))))
    np.testing.assert_array_equal(page.tile("what the network sees: centred like MNIST, no noise"), grey(x))
    for size in (32, 8):
        x_hat = runs.model(runs.find(f"strokes-b{size}-bce-mixed")).reconstruct(x)
        shown = page.tile(f"reconstructed by {size} numbers, BCE")
        assert np.abs(shown.astype(int) - grey(x_hat)).max() <= 1
        assert f"MSE {np.mean((x_hat - x) ** 2):.4f}" in page.text
    assert page.text.count("Like the training data.") == 2
    assert len([alt for alt in page.alts if alt.startswith("nearest test image")]) == 5
    assert drawing.from_pad(page.sent("edition")["picture"]).shape == (280, 280)
    assert asked_hosts == []
    page = Shown(ready="house")
    assert page.text.count("Unlike the training data.") == 2
    assert "Larger error than 99.9 % of the test images." in page.text


def test_noise_and_centring_are_what_the_core_makes():
    noise_kind = "occlusion"
    page = Shown(ready="corner", centred="off", noise_kind=noise_kind, added_noise="0.4", seed="7")
    x = drawing.shrink(gallery.picture("corner"))[None, :, :, None]
    np.testing.assert_array_equal(page.tile("what the network sees: not centred"), grey(corrupt(x, noise_kind, 0.4, 7)))
    assert page.set(centred=True).tile("what the network sees: centred").any()


def test_up_to_four_networks_side_by_side_and_one_that_is_not_there():
    models = [name_of("strokes", *of) for of in ((2, "mse", "clean"), (8, "bce", "mixed"), (128, "mse", "mixed"))]
    page = Shown(models=",".join(models))
    assert page.reconstructed == [
        "32 numbers, BCE", "2 numbers, MSE, trained clean", "8 numbers, BCE", "128 numbers, MSE",
    ]  # fmt: skip
    assert len([alt for alt in page.alts if alt.startswith("absolute error of")]) == 4
    assert page.query["models"] == ",".join(models)
    page.set(compared=models[:1])
    assert page.query["models"] == models[0]
    assert len(page.reconstructed) == 2
    page = Shown(models="nowhere,strokes-b8-bce-mixed")
    (error,) = page.boxes
    assert "There is no run called 'nowhere'" in error
    assert len(page.reconstructed) == 2  # the rest is shown


def test_errors_are_counted_in_the_background_and_the_places_stay(monkeypatch):
    asked = []
    monkeypatch.setattr(runtime, "soon", lambda task: asked.append(task.args[0].name))
    page = Shown(bottleneck="4")
    assert asked == ["strokes-b4-bce-mixed"]
    assert "Comparing it with the test set" in page.text
    assert page.empty == ["blank"] * 5


def test_missing_data_set_is_offered(forget_data):
    page = Shown(dataset="mnist")
    assert "MNIST was not found" in page.text
    assert page.query["dataset"] == "mnist"
    page.set(dataset="strokes")
    assert page.tile("reconstructed by 32").any()
    assert page.query["models"] == "strokes-b8-bce-mixed"


def own(picture, **more):
    return pad.Own(edition="pad:5", number=5, picture=picture, **more)


def test_own_drawing_is_shown_and_stays():
    picture = np.zeros((280, 280), np.float32)
    picture[60:220, 130:154] = 1
    strokes = ({"width": 24, "points": [142, 72, 142, 208]},)
    page = Shown(kept={"own": own(picture, strokes=strokes)}, ready="own")
    np.testing.assert_array_equal(page.tile("your drawing"), grey(drawing.shrink(picture)))
    says = "Ink on 5 % of the pad, 46 to 55 % of the way across and 21 to 79 % of the way down."
    assert page.sent("edition") == {"edition": "pad:5", "picture": "", "strokes": list(strokes), "says": says}
    assert page.sent("number") == {"number": 5}
    page.app.switch_page("denoise.py").run()
    page.app.switch_page("draw.py")
    assert page.run().query["ready"] == "own"
    np.testing.assert_array_equal(page.tile("your drawing"), grey(drawing.shrink(picture)))


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        (pad.Own(), "The pad is empty"),
        (own(np.zeros((280, 280), np.float32)), "The pad is empty"),
        (own(np.ones((280, 280), np.float32)), "The pad is full"),
        (pad.checked({"number": 3, "picture": "nonsense"}), "reload the page and draw again"),
    ],
)
def test_nothing_to_see_is_said_once_and_kindly(mine, says):
    page = Shown(kept={"own": mine}, ready="own")
    (message,) = page.boxes
    assert says in message
    assert page.empty.count("blank") == 5 + 5  # the network's pictures, and the nearest images
    assert page.tile("your drawing").shape == (28, 28, 3)


GOOD = {"number": 9, "picture": drawing.to_pad(gallery.picture("seven")), "strokes": []}


def test_what_the_pad_sends_is_taken():
    strokes = [{"width": 24, "points": [1, 2, 3, 4.5]}, {"width": 8, "points": [100, 100]}]
    taken = pad.checked({**GOOD, "strokes": strokes})
    np.testing.assert_allclose(taken.picture, gallery.picture("seven"), atol=1 / 255)
    assert taken.strokes == tuple(strokes)
    assert (taken.edition, taken.number, taken.problem) == ("pad:9", 9, "")


def test_what_is_no_drawing_is_a_sentence():
    for sent in (None, 5, "x", [], {}, {"picture": None}, {**GOOD, "picture": GOOD["picture"][:-50]}):
        taken = pad.checked(sent)
        assert (taken.picture, taken.problem[-1:]) == (None, "."), sent


def test_strange_numbers_are_none_and_strange_strokes_are_left_out():
    numbers = (None, -1, 0, 1.5, True, "9", 2**60, [1], float("nan"))
    assert [number for number in numbers if pad.checked({**GOOD, "number": number}).number != 0] == []
    points = ([1], [1, 2, 3], [], [1, "2"], [1, float("nan")], [1, 1e9], [True, False], [1] * 5000)
    strokes = (
        None, "x", {"width": 3}, [1, 2], [{"width": 24}], [{"width": 900, "points": [1, 2]}],
        [{"width": "24", "points": [1, 2]}], [{"width": 24, "points": [1, 2]}] * 3000,
        *([{"width": 24, "points": wrong}] for wrong in points),
    )  # fmt: skip
    for sent in strokes:
        taken = pad.checked({**GOOD, "strokes": sent})
        assert (taken.strokes, taken.picture is not None) == ((), True), str(sent)[:60]


def png(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def paper():
    """Dark ink on light paper, `(60, 40)` uint8."""
    picture = np.full((60, 40), 240, np.uint8)
    picture[10:50, 16:22] = 15
    return picture


def test_uploaded_picture_is_inverted_and_shown_and_can_be_inverted_back(paper):
    page = Shown().upload("one.png", png(paper))
    assert page.boxes == []
    assert page.query["ready"] == "own"
    shown = page.tile("your drawing")[..., 0]
    assert shown[14].max() > 200
    assert shown[:, :4].max() == 0
    np.testing.assert_array_equal(page.set(ink="dark").tile("your drawing")[..., 0], shown)
    assert page.set(ink="light").tile("your drawing")[..., 0][14].min() < 50


def test_file_that_cannot_be_used_is_a_sentence_and_the_drawing_stays(paper):
    page = Shown()
    before = page.tile("your drawing")
    for data, says in ((b"no picture", "is not an image"), (png(np.zeros((30, 30), np.uint8)), "all of one colour")):
        (message,) = page.upload("<img src=x>![a](http://b.example/c.png).png", data).boxes
        assert says in message
        (error,) = page.app.error
        assert all(error.value.count(sign) == error.value.count("\\" + sign) for sign in "<>[]()!")  # its name is no markup
        np.testing.assert_array_equal(page.tile("your drawing"), before)
        assert page.query["ready"] == "three"
    assert "is a PNG in spite of its ending" in page.upload("one.jpg", png(paper)).text
    assert page.tile("your drawing").any()


def see(dataset, ready, size, trained_on="mixed", centred=True, noise=0.0):
    """A ready drawing through a shipped network, and the drawing as it should come back and as it goes in."""
    run = runs.find(name_of(dataset, size, "bce", trained_on))
    novelty.reference(run)
    x = drawing.to_network(gallery.picture(ready), centred)
    x_noisy = corrupt(x, "gaussian", noise, 0)
    return novelty.see(run, x, x_noisy), x, x_noisy


def check_house(question, of):
    asked(question, "larger than that of 98 %", "with 8 numbers and with 32")
    shown = [of("house", size) for size in (8, 32)]
    share = min(result.percentile for result, _, _ in shown)
    ink = max(result.x_hat.mean() / x.mean() for result, x, _ in shown)
    answer(question, share < novelty.UNUSUAL, ink < 0.3, share > 98 and ink > 0.5)


def check_letter(question, of):
    asked(
        question, "With 8 numbers, the network finds a letter A unlike", "with 128 numbers the A comes back with less than"
    )
    narrow, wide = (of("letter_a", size)[0] for size in (8, 128))
    assert narrow.percentile >= novelty.UNLIKE
    assert wide.mse < narrow.mse / 4
    clearer, passes = wide.percentile > narrow.percentile, wide.percentile < novelty.UNUSUAL
    answer(question, not clearer and not passes, clearer, passes)


def check_corner(question, of):
    asked(question, "larger than that of 98 %", "fall to less than a tenth")
    stranger, middle = (of("corner", 32, centred=centred)[0] for centred in (False, True))
    assert stranger.percentile > 98
    times = stranger.mse / middle.mse
    answer(question, times < 1.5, 2 < times < 3, times > 10)


def check_noisy_drawing(question, of):
    asked(question, "less than a tenth of that error")
    (never, x, x_noisy), (trained, _, _) = (of("three", 32, trained_on=on, noise=0.5) for on in ("clean", "mixed"))
    assert trained.mse < never.mse / 10
    before = np.mean((x_noisy - x) ** 2)
    answer(question, never.mse < 0.9 * before, 0.9 < never.mse / before < 1.1, never.mse > 1.1 * before)
    assert f"MSE of what went in: {before:.3f};" in question.measured(question.settings)


@pytest.mark.parametrize("name", questions.questions("strokes"))
def test_each_question_comes_out_as_it_says(dataset, name):
    globals()[f"check_{name}"](questions.questions(dataset)[name], functools.partial(see, dataset))
