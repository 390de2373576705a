"""The path of questions as people walk it: on a fresh machine and with MNIST, wide and on a phone, by mouse and by keys."""

import os

import pytest

pytestmark = pytest.mark.browser

STEPS = 8
WIDE = {"viewport": {"width": 1366, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
# Whether a picture of the page, or its line of figures, is in sight, at least in part, together with the strip.
IN_SIGHT = """
() => [...document.querySelectorAll(
  ".stMain :is(.grid, .plane, .chosen, .drawn, .anatomy, .crops) :is(img, canvas)," +
  ".stMain :is(.js-plotly-plot, .diagram, .facts)"
)].some(picture => {
  const { top, bottom } = picture.getBoundingClientRect();
  return bottom > 60 && top < innerHeight - 20;
})
"""


def strip(visitor):
    return visitor.page.locator(".st-key-lesson")


def press(visitor, button, by_keyboard):
    button.wait_for()
    if by_keyboard:
        button.focus()
        visitor.page.keyboard.press("Enter")
    else:
        button.click()


@pytest.mark.real_data
@pytest.mark.parametrize(("dataset", "context", "by_keyboard"), [("strokes", WIDE, False), ("mnist", PHONE, True)])
def test_the_whole_path(visit, server, start, dataset, context, by_keyboard):
    if dataset == "mnist":
        server = start(CAE_DATA_DIR=os.environ["CAE_DATA_DIR"])
    visitor = visit(server, "?lesson=1", **context)
    for lesson in range(1, STEPS + 1):
        strip(visitor).get_by_text(f"{lesson} of {STEPS}", exact=True).wait_for()
        visitor.idle()
        first = strip(visitor).locator('[class*="st-key-guess_"] button').first
        strip(visitor).evaluate("e => e.scrollIntoView({ block: 'center' })")  # as somebody who reads the question has it
        press(visitor, first, by_keyboard)
        strip(visitor).get_by_text("Your guess").wait_for()
        visitor.idle()
        assert visitor.page.evaluate(IN_SIGHT), f"lesson {lesson} has no picture in sight"
        outcome = strip(visitor).locator(".outcome").bounding_box()
        assert 0 <= outcome["y"] < context["viewport"]["height"] - 60, f"lesson {lesson} shows its outcome elsewhere"
        assert visitor.link["lesson"] == str(lesson)
        assert visitor.link.get("dataset", dataset) == dataset
        if lesson < STEPS:
            on = strip(visitor).get_by_text("Next question")
            press(visitor, on.locator("xpath=ancestor-or-self::*[self::a or self::button][1]"), by_keyboard)
    strip(visitor).get_by_text("That was the last").wait_for()


def test_back_reload_and_a_private_window_find_what_was_guessed(visit, expect, server):
    visitor = visit(server).whole()
    visitor.page.locator(".st-key-try_from_the_code button").click()  # skipped
    visitor.wait_for_link(guess="from_the_code.skip")
    visitor.choose("Question", "Two numbers for a digit")
    visitor.page.locator(".st-key-guess_two_numbers_1 button").click()
    visitor.wait_for_link(guess="two_numbers.1", bottleneck="2").whole()
    link = visitor.page.url
    visitor.page.get_by_role("link", name="Latent").first.click()
    visitor.page.locator(".plane").wait_for()
    assert not visitor.idle().link.get("guess", "").startswith("two_numbers")
    visitor.page.go_back()
    expect(strip(visitor).get_by_text("Your guess")).to_be_visible()
    visitor.wait_for_link(guess="two_numbers.1", bottleneck="2")
    visitor.page.reload()
    expect(strip(visitor).get_by_text("Hardly larger")).to_be_visible()
    private = visit(server, link.removeprefix(server.root))
    expect(strip(private).get_by_text("Hardly larger")).to_be_visible()


def test_a_projector_counts_the_guesses_of_its_class_as_they_come_in(visit, expect, server):
    board = visit(server, "?guess=two_numbers.skip&class=%3Cb%3E8c%3C/b%3E").page.locator(".class-board")
    expect(board).to_contain_text("Class <b>8c</b>: 0 guesses")
    student = visit(server, "?guess=two_numbers&class=%3Cb%3E8c%3C/b%3E")
    student.page.locator(".st-key-guess_two_numbers_3 button").click()
    expect(board).to_contain_text("Class <b>8c</b>: 1 guess")
    expect(board.locator("dd").nth(2)).to_have_text("1")
