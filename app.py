"""Entry point: `streamlit run app.py`."""

from contextlib import asynccontextmanager

import streamlit as st
from streamlit import runtime

from cae_core import backend
from pages import upload_limit


@asynccontextmanager
async def lifespan(app):
    backend.start()
    upload_limit.keep_newest(runtime.get_instance().uploaded_file_mgr)
    yield {}


app = st.App("pages/frame.py", lifespan=lifespan)
