"""The frame around every page: title, styles, navigation. `app.py` runs it for every visitor and every change."""

from pathlib import Path

import streamlit as st

from cae_core.runs import holder
from pages.parts.common import waiting
from pages.parts.session import identity

PAGES = {
    "denoise.py": "Denoise",
    "train.py": "Train",
    "runs.py": "Runs",
    "latent.py": "Latent",
    "draw.py": "Draw",
    "architectures.py": "Architectures",
    "reproduce.py": "Reproduce",
    "stacked.py": "Stacked",
    "colour.py": "Colour",
    "teach.py": "Teach",
}
"""File to title, in the order of the navigation; the first is the one that opens."""

st.set_page_config(page_title="Autoencoder explorer", page_icon="🔢", layout="wide")
st.html(Path(__file__).parent / "parts/common/style.css")
holder.introduce(f"the app at port {st.get_option('server.port')}")
waiting.begin()
first, *others = PAGES
# The page that opens is at the root; at the address that anybody would guess it opens, too, which takes a page of its own.
pages = [
    st.Page(first, title=PAGES[first], default=True, url_path="root"),
    *(st.Page(file, title=PAGES[file]) for file in others),
    st.Page(first, title=PAGES[first], visibility="hidden"),
]
if identity.is_forgotten():
    st.info(
        "Your browser keeps nothing for this page inside another one: what you train here is yours until you reload it. "
        f"[Open it in a tab of its own]({identity.own_tab()}) to keep it."
    )
st.navigation(pages, position="top").run()
identity.remember()
