"""The browser's address: every setting of the page, so that copying it copies the page as it is."""

from collections.abc import Mapping
from urllib.parse import urlencode

from pages.parts.session import component, state
from pages.parts.session.setting import Setting

# Streamlit's own binding of widgets to the URL writes labels and leaves defaults out, so a link would change its meaning
# with the wording, or on a machine with another default data set. replaceState keeps one history entry a page, and
# happens in the browser, so that no rerun ever sees an address older than its widgets.
# Only what is this app's is replaced: Streamlit and whoever embeds the app have parameters of their own. Of a link with
# more than a thousand parts Streamlit drops every one, so one with too many is opened again with fewer.
_SCRIPT = """
function draw({ data }) {
  const url = new URL(window.location.href), query = new URLSearchParams(data.query);
  const others = [...url.searchParams].filter(([key]) => !data.ours.includes(key));
  if (others.length > data.most) {
    const ours = [...url.searchParams].filter(([key]) => data.ours.includes(key));
    url.search = new URLSearchParams([...ours, ...others.slice(0, data.most)]);
    window.location.replace(url);
    return;
  }
  others.forEach(([key, value]) => query.append(key, value));
  if (url.search !== "?" + query) {
    url.search = query;
    window.history.replaceState(window.history.state, "", url);
  }
}
"""

MOST_OTHERS = 900
"""Parts of an address that are no settings and stay."""


def write(settings: Mapping[str, Setting]) -> None:
    """Puts every setting into the browser's address."""
    query, misspelt = state.to_write(settings)
    data = {"query": urlencode(query), "ours": [*settings, *misspelt], "most": MOST_OTHERS}
    component.mount("address", _SCRIPT, data)
