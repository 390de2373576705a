"""Entry point: `streamlit run app.py`."""

from contextlib import asynccontextmanager

import streamlit as st
from streamlit import net_util
from streamlit.runtime import get_instance

from cae_core.runtime import process
from pages.parts.common import upload_limit


def _print_network_address() -> None:
    """Says where phones in the room find the app, unless it was told to listen elsewhere."""
    if st.get_option("server.address") is None and (address := net_util.get_internal_ip()):
        print(f"  On your network: http://{address}:{st.get_option('server.port')}\n", flush=True)


@asynccontextmanager
async def lifespan(app):
    _print_network_address()
    upload_limit.keep_newest(get_instance().uploaded_file_mgr)
    yield {}


process.set_up()
app = st.App("pages/frame.py", lifespan=lifespan)
