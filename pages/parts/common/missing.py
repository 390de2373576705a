"""Messages about a data set or a trained network that is absent or damaged, and how the visitor gets one."""

from typing import Any

import streamlit as st

from cae_core import datasets
from cae_core.architectures import published
from cae_core.pretrained import NETWORK, ships
from pages.parts.common import show
from pages.parts.session import state
from pages.parts.session.setting import text


def has_images(dataset: str) -> bool:
    """Whether a data set can be shown; if not, says why and what can be done."""
    try:
        datasets.load(dataset, "test")
    except datasets.DataError as error:
        say(dataset, error)
        return False
    return True


def has_network(dataset: str, architecture: str = NETWORK) -> bool:
    """Whether trained networks of a kind ship for a data set; if not, says so and where one can be trained."""
    if ships(dataset, architecture):
        return True
    with st.container(border=True):
        label = datasets.DATASETS[dataset].label
        st.markdown(f"No trained network for **{label}** ships with the app. Train one, then choose it in the sidebar.")
        link_to_training(architecture, dataset, "Train one")
    return False


def link_to_training(architecture: str, dataset: str, label: str, **changes: Any) -> None:
    """A link to the Train page with everything that a network was published with but the data set and `changes`."""
    settings = {**published(architecture).to_dict(), "dataset": dataset, "fork": (), "fork_step": 0, **changes}
    link = {key: text(value) for key, value in settings.items()}
    st.page_link("train.py", label=label, icon=":material/model_training:", query_params=link)


def say(dataset: str, trouble: datasets.DataError) -> None:
    """The reason, and a button that mends it where there is one."""
    if isinstance(trouble, datasets.DatasetMissing):
        offer_download(dataset, show.plain(str(trouble)))
        return
    st.error(show.plain(str(trouble)))
    if datasets.DATASETS[dataset].download:
        offer_download(dataset, "Or download it again: that puts the right files in their place.")


def offer_download(dataset: str, reason: str) -> None:
    """Says why a data set is not there, and fetches it when, and only when, the visitor asks."""
    entry = datasets.DATASETS[dataset]
    with st.container(border=True):
        st.markdown(reason)
        if st.button(f"Download {entry.label} ({entry.download_bytes / 1e6:.0f} MB)", key="download"):
            bar = st.progress(0.0, f"Asking for {entry.label}")
            try:
                entry.download(lambda fraction, text: bar.progress(fraction, text))
            except datasets.DataError as error:
                bar.empty()
                st.error(show.plain(str(error)))
            else:
                state.change_next_run(dataset=dataset)
                st.rerun()
