"""Questions of the Reproduce page: each shows a card first, which can then be run."""

from pages.parts.lesson.question import questions_of

QUESTIONS = questions_of(
    "reproduce",
    eight_at_once={"card": "pca"},
    layer_by_layer={"card": "dense_linear_2d"},
    no_training={"card": "dense"},
)
