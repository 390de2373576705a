"""The frame around every page: title, styles, navigation. `app.py` runs it for every visitor and every change."""

from pathlib import Path

import streamlit as st

from cae_core import backend

st.set_page_config(page_title="Autoencoder explorer", page_icon="🔢", layout="wide")
st.html(Path(__file__).with_name("style.css"))
backend.start()  # already running under app.py; a test that runs only this file gets it here
st.navigation([st.Page("denoise.py", title="Denoise", default=True)]).run()
