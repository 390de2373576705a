"""Architectures: how do the published designs differ, and what leaks past the code?"""

from cae_core import datasets
from pages.parts.architectures import bce_or_mse, race, sparsity, switch_leak, versus
from pages.parts.common import missing, show, waiting, widgets
from pages.parts.layers import layers_view
from pages.parts.lesson import strip
from pages.parts.session import address
from pages.parts.session.setting import Setting

VIEWS = {
    "layers": ("Layer by layer", layers_view),
    "race": ("Decoder race", race),
    "leak": ("Switch leak", switch_leak),
    "losses": ("BCE or MSE", bce_or_mse),
    "sparsity": ("Sparsity", sparsity),
    "beta": ("AE ↔ VAE ↔ β", versus),
}
"""Name to title and the module that draws it: `SETTINGS`, `QUESTIONS`, `sidebar(now)` for its controls and `draw(now)`."""

SETTINGS = {"view": Setting("layers", tuple(VIEWS)), "dataset": Setting(datasets.default(), datasets.GREY)}
for _, part in VIEWS.values():
    SETTINGS |= part.SETTINGS
SETTINGS |= strip.settings(*(part.QUESTIONS for _, part in VIEWS.values()))


def _page() -> None:
    now = show.open_page("architectures", "How do the published designs differ, and what leaks past the code?", SETTINGS)
    titles = {name: title for name, (title, _) in VIEWS.items()}
    widgets.segmented_control("What to look at", titles, key="view", label_visibility="collapsed")
    _, part = VIEWS[now["view"]]
    part.sidebar(now)
    if missing.has_images(now["dataset"]):
        part.draw(now)


_page()
address.write(SETTINGS)
waiting.end()
