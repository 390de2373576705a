"""Runs: which settings made the difference?"""

from pages import show

show.question("Which settings made the difference?")
