"""Train: how does a network learn to do that?"""

from pages import show

show.question("How does a network learn to do that?")
