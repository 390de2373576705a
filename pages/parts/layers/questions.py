"""Questions of the view "Layer by layer": what to try."""

from pages.parts.lesson.question import questions_of

QUESTIONS = questions_of(
    "layers",
    before_training={"view": "layers", "architecture": "fast", "weights": "fresh", "source": "test"},
    wide_code={"view": "layers", "architecture": "conv_denoise", "source": "test"},
    past_the_code={"view": "layers", "architecture": "conv_unpool", "source": "test"},
)
