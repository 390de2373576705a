"""The frame around every page: title, styles, navigation. `app.py` runs it for every visitor and every change."""

from pathlib import Path

import streamlit as st

from cae_core import backend, holder

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
}
"""File to title, in the order of the navigation; the first is the one that opens."""

st.set_page_config(page_title="Autoencoder explorer", page_icon="🔢", layout="wide")
st.html(Path(__file__).with_name("style.css"))
holder.introduce(f"the app at port {st.get_option('server.port')}")
backend.start()  # already running under app.py; a test that runs only this file gets it here
pages = [st.Page(file, title=title, default=file == "denoise.py") for file, title in PAGES.items()]
st.navigation(pages, position="top").run()
