"""What a question of a page claims, for the tests that measure it."""


def claim_of(question) -> str:
    """The question, its right answer and the reason, in a line."""
    return " ".join(" ".join([question.asks, *question.answers[question.right - 1 : question.right], question.why]).split())


def asked(question, *sentences):
    """The question, once it is sure that what is checked of it still stands there."""
    text = claim_of(question)
    assert [sentence for sentence in sentences if sentence not in text] == []
    return question


def answer(question, *holds):
    """Fails unless the answer marked right is the one that holds; `holds` are the answers' measured truths in order."""
    assert len(holds) == len(question.answers)
    assert [number for number, true in enumerate(holds, 1) if true] == [question.right]
