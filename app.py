"""Entry point: `streamlit run app.py`."""

from contextlib import asynccontextmanager

import streamlit as st

from cae_core import backend


@asynccontextmanager
async def lifespan(app):
    backend.start()
    yield {}


app = st.App("pages/frame.py", lifespan=lifespan)
