"""The Teach page: every sheet has what a lesson takes, its links lead to its questions, and a class's name is text."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from shown import ShownPage, frame_pages, settings_of

from pages.parts.lesson import path
from pages.parts.teach import sheet


class Shown(ShownPage):
    FILE = "teach.py"


@pytest.mark.parametrize("name", sheet.SHEETS)
def test_a_sheet_asks_what_the_page_asks_and_keeps_the_answers_back(name):
    students, teacher = sheet.for_students(name, "http://10.0.0.5:8501/", "8b"), sheet.for_the_teacher(name)
    questions = [*sheet.SHEETS[name].questions.values()]
    for question in questions[: sheet.PREDICTIONS]:
        assert question.asks in students
        assert all(f"☐ {answer}" in students for answer in question.answers)
        assert question.why in teacher
        assert question.why not in students
    assert all(question.title in teacher for question in questions[sheet.PREDICTIONS :])
    assert "Goal." in students


def test_there_is_a_sheet_for_every_page_that_asks_and_the_links_lead_there():
    pages = {f"{each.page or 'denoise'}.py" for each in sheet.SHEETS.values()}
    assert pages == set(frame_pages()) - {"teach.py"}
    for each in sheet.SHEETS.values():
        key = next(iter(each.questions))
        url = urlsplit(sheet.link(each, key, "http://10.0.0.5:8501/", "8 b&c"))
        link = dict(parse_qsl(url.query))
        assert link["class"] == "8 b&c"
        settings = settings_of(each.page or "denoise")
        assert settings["guess"].parse("guess", link["guess"]) == key
        assert [settings[name].parse(name, given) for name, given in link.items()]


def test_shows_a_sheet_both_plans_and_the_link_of_the_class():
    page = Shown(sheet="latent", **{"class": "**8b**"})
    assert "Latent" in page.text
    assert "45 minutes" in page.text
    assert "90 minutes" in page.text
    (code,) = page.app.code
    assert dict(parse_qsl(urlsplit(code.value).query)) == {"lesson": "1", "class": "**8b**"}
    page.set(**{"class": "  8  c "})
    assert page.setting["class"] == "8 c"
    assert len(path.PATH) == 8
