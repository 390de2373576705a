"""Every page and view on every screen, in both themes: all of it is there, nothing covers anything, pictures grow."""

import io
import time
from types import SimpleNamespace

import pytest
from checks import axe, flaws
from live import PATIENCE
from PIL import Image

pytestmark = pytest.mark.browser

# Name to width, height and theme. A laptop's 1366 × 768 at 200 % zoom has half the pixels each way.
SIZES = {
    "phone": (390, 844, "dark"),
    "zoomed": (683, 384, "dark"),
    "small": (1024, 768, "light"),
    "laptop": (1366, 768, "light"),
    "large": (1920, 1080, "light"),
}
COLOURS = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 21, 20)"}
AXE = ("phone", "laptop")
RUN = "train?architecture=dense&optimizer=adam&learning_rate=0.003&schedule=constant&num_train=600&epochs=2&batch_size=50"
TITLE = "https://elsewhere.example/<b>" + "w" * 60
PAIR = "strokes-b2-bce-clean,strokes-b8-mse-mixed"
VIEWS = [
    "?both_losses=on",
    "?dataset=mnist&loss=" + "x" * 200,  # not on the machine, and a link that asks for what there is not
    "runs?runs={run}",
    "runs?whose=shipped&runs={run}," + PAIR,
    *(f"runs?view={view}" for view in ("sizes", "robustness")),
    *(f"latent?points=500&part={part}" for part in ("manifold", "interpolate", "sliders", "units", "neighbours", "export")),
    *(f"latent?points=500&run=strokes-vae-b2&part={part}" for part in ("generate", "numbers")),
    "draw?models=" + PAIR,
    *(f"architectures?view={view}" for view in ("layers", "race", "leak", "losses", "sparsity", "beta")),
    "reproduce",
    "stacked",
    "stacked?stack_view=mine",
    "colour",
]
# What waits to be trained has no pictures yet.
COMPLETE = '() => !document.querySelector(".waiting, .diagram-waiting") || document.querySelector("button[kind=primary]")'
UNFOLD = '() => document.querySelectorAll("[data-testid=stExpander] details:not([open]) > summary").forEach(e => e.click())'
UNFOLDED = """
() => {
  const unfolding = [...document.querySelectorAll("details")].flatMap(details => details.getAnimations());
  unfolding.forEach(animation => animation.finish());
  return !unfolding.length;
}
"""
STILL = "*, ::before, ::after { transition: none !important }"  # colours fade from one theme to the other
WIDEST = """
() => Math.max(0, ...[...document.querySelectorAll(
  ".stMain :is(.grid img, .plane canvas, .drawn img, .js-plotly-plot, .photos img, .anatomy img, .claims)"
)].map(picture => picture.getBoundingClientRect().width))
"""
BACKGROUND = "colour => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === colour"
# What a phone lacks of a view as it opens: its name among those of the other pages, six screens at the most.
PHONE = """
() => {
  const links = [...document.querySelectorAll(".st-key-pages a")], { scrollHeight } = document.querySelector(".stMain");
  const at = ({ x, y, width, height }) => document.elementFromPoint(x + width / 2, y + height / 2);
  const away = links.filter(a => a.offsetHeight < 40 || at(a.getBoundingClientRect())?.closest("a") !== a);
  const marked = links.filter(a => getComputedStyle(a).backgroundColor !== "rgba(0, 0, 0, 0)").map(a => a.innerText);
  const name = location.pathname.slice(1) || "denoise";
  return [
    ...away.map(a => `no finger gets at the page ${a.innerText}`),
    ...marked.join().toLowerCase() === name && links.length > 8 ? [] : [`of ${links.length} pages, marked is ${marked}`],
    ...scrollHeight <= 6 * innerHeight ? [] : [`${scrollHeight} px are more than six screens`],
  ];
}
"""


def look(visitor, view):
    """Everything that is wrong with a view, a line each."""
    page, wrong, widest = visitor.page, [], {}
    page.wait_for_function(COMPLETE)
    page.add_style_tag(content=STILL)
    page.set_viewport_size({"width": 390, "height": 844})
    visitor.idle(200)
    wrong += [f"{view}, phone: {flaw}" for flaw in page.evaluate(PHONE)]
    page.set_viewport_size({"width": 1366, "height": 768})
    page.evaluate(UNFOLD)
    page.wait_for_function(UNFOLDED)
    visitor.idle(200)
    for size, (width, height, theme) in SIZES.items():
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(BACKGROUND, arg=COLOURS[theme])
        found = flaws(visitor) + (axe(visitor) if size in AXE else [])
        wrong += [f"{view}, {size}: {flaw}" for flaw in found]
        widest[size] = page.evaluate(WIDEST)
    if widest["large"] < 1.2 * widest["laptop"]:
        wrong.append(f"{view}: pictures are {widest['laptop']:.0f} px wide on a laptop and {widest['large']:.0f} on 1920")
    return wrong


def test_every_view_fits_every_screen(visit, server):
    visitor = visit(server, RUN, has_touch=True, reduced_motion="reduce")
    page = visitor.page
    visitor.idle()
    before = set(server.runs.glob("*"))  # of other tests
    page.get_by_label("Name").fill(TITLE)
    page.get_by_label("Name").press("Enter")
    visitor.click("Train this network")
    page.wait_for_function("() => document.querySelector('.facts > div > span')?.textContent.startsWith('Finished')")
    (run,) = set(server.runs.glob("*/")) - before
    wrong = look(visitor, "train")
    for view in VIEWS:
        page.set_viewport_size({"width": 1366, "height": 768})
        visitor.open(view.format(run=run.name)).idle()
        if view == "colour":
            photo = io.BytesIO()
            Image.new("RGB", (300, 200), (60, 120, 210)).save(photo, "PNG")
            file = {"name": "photo.png", "mimeType": "image/png", "buffer": photo.getvalue()}
            page.locator('[data-testid="stFileUploader"] input[type=file]').set_input_files(file)
            page.locator('.photos img[alt*="trained with mse"]').wait_for()
        wrong += look(visitor, view)
    assert not wrong, "\n".join(wrong)


DOCKED = [
    ("", "Noise factor", '.grid img[alt*="reconstructed"]'),
    ("", "Bottleneck", '.grid img[alt*="reconstructed"]'),
    ("latent", "Bottleneck", ".plane canvas"),
    ("draw", "Noise factor", ".drawn img >> nth=1"),
]


@pytest.mark.parametrize(("view", "label", "picture"), DOCKED)
def test_finger_moves_a_picture_by_a_control_that_is_in_sight_with_it(visit, server, view, label, picture):
    visitor = visit(server, view, viewport={"width": 390, "height": 844}, has_touch=True)
    drawn, control = visitor.page.locator(picture).first, visitor.page.locator(".stSlider", has_text=label)
    drawn.wait_for()
    visitor.idle()
    drawn.scroll_into_view_if_needed()
    look = "e => e.src ?? e.toDataURL()"
    before, place, thumb = drawn.evaluate(look), drawn.bounding_box(), visitor.slider(label).bounding_box()
    track = control.bounding_box()
    visitor.page.touchscreen.tap(track["x"] + track["width"] / 4, thumb["y"] + thumb["height"] / 2)
    end = time.monotonic() + PATIENCE
    while drawn.evaluate(look) == before:  # each time the picture that is there now: it is drawn anew
        assert time.monotonic() < end
        visitor.page.wait_for_timeout(50)
    visitor.idle()
    assert drawn.bounding_box() == place
    assert 80 <= place["y"] < place["y"] + place["height"] <= track["y"] < track["y"] + track["height"] <= 844


FAULTS = {
    "the page scrolls sideways by 200 px": '<div style="width: 590px">wide</div>',
    "scrolls sideways: A table": '<div aria-label="A table" style="overflow-x: auto"><p style="width: 999px">x</p></div>',
    "beyond the screen: Far away": '<p style="position: absolute; left: -50px; margin: 0">Far away</p>',
    "cut off: A label too long": '<p style="width: 40px; overflow: hidden; white-space: nowrap">A label too long</p>',
    "cut off below: Two lines": '<p style="width: 40px; height: 20px; overflow: hidden">Two lines</p>',
    "a slider 20 px wide: Pen": '<input type="range" aria-label="Pen" style="width: 20px; height: 40px">',
    "a button 24 px high: Go": '<button style="height: 24px">Go</button>',
    "overlap: picture Three / text Four": '<img alt="Three" style="height: 60px; width: 60px; position: fixed"><p>Four</p>',
    "overlap: control Left / control Right": '<button style="height: 40px; position: absolute; width: 60px">Left</button>'
    '<button style="height: 40px; position: absolute; left: 50px; top: 9px">Right</button>',
}


@pytest.mark.parametrize(("flaw", "markup"), [("", "<p>Fine</p>"), *FAULTS.items()])
def test_each_kind_of_flaw_is_found_and_named(browser, flaw, markup):
    page = browser.new_page(viewport={"width": 390, "height": 300})
    page.set_content(f'<!doctype html><body style="margin: 0"><div data-testid="stMain">{markup}</div>')
    found = flaws(SimpleNamespace(page=page), patience=0)
    page.close()
    assert found == [] if not flaw else flaw in found
