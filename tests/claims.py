"""What a question of a page claims, for the tests that measure it."""


def claim_of(question) -> str:
    """The question, its right answer and the reason, in a line."""
    return " ".join(" ".join([question.asks, *question.answers[question.right - 1 : question.right], question.why]).split())
