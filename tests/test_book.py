"""The book as a reader gets it: built once, its links followed, and looked at in Chromium from the files alone.

The tests in a browser are skipped where there is none (on Debian: apt-get install chromium).
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browsing import browser_only, outside
from bs4 import BeautifulSoup

from course_utils.book.site import build
from course_utils.grading.course import find_course

pytest.importorskip("myst_nb", reason="the book needs the extra [book]")

PHONE = {"width": 375, "height": 800}
LESSON = "lessons/00_ratings.html"
AXE_RULES = {
    "resultTypes": ["violations"],
    "preload": False,  # would fetch the style sheets, which a page opened from a folder may not
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "rules": {rule: {"enabled": True} for rule in ("heading-order", "page-has-heading-one", "empty-heading")},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A cold build by the command, which must have nothing to complain about; the folder it was told."""
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-m", "course_utils.cli", "book", "--out", str(folder)]
    done = subprocess.run(command, cwd=find_course().root, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(folder / "html" / "index.html") in done.stdout
    return folder


@pytest.fixture(scope="module")
def html(folder) -> Path:
    return folder / "html"


@pytest.fixture(scope="module")
def pages(html) -> dict[str, BeautifulSoup]:
    """Name to content of every page."""
    paths = [path for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]
    return {path.relative_to(html).as_posix(): BeautifulSoup(path.read_text(), "html.parser") for path in paths}


def test_a_second_build_reads_no_page_again(folder):
    read: list[str] = []
    built = build(find_course(), folder, read.append)
    assert read == []
    assert built.warnings == []


def test_no_link_of_the_book_is_broken(pages, html):
    anchors = {name: {tag["id"] for tag in page.select("[id]")} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for tag in page.select("[href], [src]"):
            url = urlsplit(tag.get("href") or tag.get("src") or "")
            if url.scheme or url.netloc:
                continue
            path = (html / name).parent / unquote(url.path) if url.path else html / name
            target = path.resolve().relative_to(html.resolve()).as_posix()
            if not path.is_file() or (url.fragment and unquote(url.fragment) not in anchors[target]):
                broken.append(f"{name}: {url.geturl()}")
    assert broken == []


def test_no_page_loads_anything_from_another_host(pages):
    loaded = [
        (name, url)
        for name, page in pages.items()
        for tag in page.select("script[src], link[href], img[src], iframe[src]")
        if outside(f"file:{url}" if not urlsplit(url := tag.get("src") or tag["href"]).netloc else url)
    ]
    assert loaded == []


def test_the_map_and_the_sidebar_lead_to_every_lesson(pages):
    for lesson in find_course().lessons:
        target = f"lessons/{lesson.name}.html"
        assert pages["index.html"].select(f"table a[href='{target}']"), target
        assert pages["index.html"].select(f".bd-sidebar-primary a[href='{target}']"), target


def test_every_check_shows_its_verdict_and_every_exercise_has_a_fold(pages):
    for lesson in find_course().lessons:
        page = pages[f"lessons/{lesson.name}.html"]
        source = lesson.source.read_text(encoding="utf-8")
        assert len(page.select(".verdict")) == source.count('"grade_id": "check-')
        assert len(page.select("details.answer")) == source.count('"solution": true')


@browser_only
def test_every_page_loads_alone_with_its_figures_and_fits_a_phone(pages, html, tab):
    tab.set_viewport_size(PHONE)
    for name in pages:
        tab.goto((html / name).as_uri())
        assert tab.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)") == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], f"{name} is too wide"
        assert tab.complaints == [], name


@browser_only
def test_lessons_show_figures_and_formulas(html, tab):
    tab.goto((html / "lessons/01_explicit_mf.html").as_uri())
    assert tab.locator("img[alt^='Figure: ']").count() >= 5
    tab.wait_for_selector("mjx-container svg")
    assert "$" not in tab.locator("div.math").first.inner_text()
    assert tab.complaints == []


@browser_only
def test_an_answer_unfolds_by_click_and_by_keyboard(html, tab):
    tab.goto((html / LESSON).as_uri())
    first, second = tab.locator("details.answer").nth(0), tab.locator("details.answer").nth(1)
    for answer in (first, second):
        assert not answer.locator("pre").is_visible()
    first.locator("summary").click()
    assert first.locator("pre").is_visible()
    second.locator("summary").focus()
    tab.keyboard.press("Enter")
    assert second.locator("pre").is_visible()
    tab.keyboard.press("Space")
    assert not second.locator("pre").is_visible()


@browser_only
def test_answers_are_on_the_way_of_the_tab_key(html, tab):
    tab.goto((html / LESSON).as_uri())
    tab.locator("details.answer summary").first.focus()
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Show one answer"


@browser_only
def test_search_finds_leave_one_out_without_a_server(html, tab):
    tab.goto((html / "index.html").as_uri())
    tab.keyboard.press("Control+k")
    tab.keyboard.type("leave-one-out")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#search-results a[href*='notation.html']")
    assert tab.complaints == []


def violations(tab, page: Path, *, without: Sequence[str] = (), theme: str) -> list[str]:
    """What axe-core has against a page, without the elements that `without` selects."""
    from axe_playwright_python.base import AXE_SCRIPT

    tab.emulate_media(color_scheme=theme)
    tab.goto(page.as_uri())
    assert tab.evaluate("document.documentElement.dataset.theme") == theme
    tab.add_style_tag(content="* {transition: none !important}")  # on a busy machine a colour is met half-way
    tab.evaluate(AXE_SCRIPT)
    context = {"include": [["html"]], "exclude": [[selector] for selector in without]}
    found = tab.evaluate("([context, rules]) => axe.run(context, rules)", [context, AXE_RULES])["violations"]
    return [f"{each['id']}: {node['target']} {node['html'][:200]}" for each in found for node in each["nodes"]]


@browser_only
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", LESSON, "notation.html", "api/splits.html", "docs/instructors.html"])
def test_axe_has_nothing_against_a_page_of_each_kind(name, theme, html, tab):
    # Code is coloured alike everywhere, and formulas are drawings; both have thousands of elements.
    assert violations(tab, html / name, without=(".highlight", ".math"), theme=theme) == []


@browser_only
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_against_the_colours_of_code(theme, html, tab):
    assert violations(tab, html / "docs/adding-a-lesson.html", theme=theme) == []


@browser_only
@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_against_any_page(theme, pages, html, tab):
    for name in pages:
        assert violations(tab, html / name, theme=theme) == [], name
