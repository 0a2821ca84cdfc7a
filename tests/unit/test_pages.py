"""Every page has one frame: one environment of templates, one base, one style sheet, one way to write numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError, meta

from dagster_project.closure import file_digests
from dagster_project.pages.environment import environment, render_page
from dagster_project.pages.files import template_files
from dagster_project.settings import PROJECT_ROOT
from dagster_project.text_files import replace_text
from tests.browser import offline_browser

PRODUCT = PROJECT_ROOT / "dagster_project"
TEMPLATES = PRODUCT / "pages" / "templates"
BASE, MACROS, STYLE = "base.html.j2", "macros.html.j2", "style.css"
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*") if path.is_file())
PAGES = [name for name in NAMES if "/" in name and "{% extends" in (TEMPLATES / name).read_text(encoding="utf-8")]
PYTHON = sorted(path.relative_to(PRODUCT).as_posix() for path in PRODUCT.rglob("*.py"))


def source(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def reads(name: str) -> set[str]:
    """Templates that one reads, itself among them."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        now = waiting.pop()
        if now not in found:
            found.add(now)
            named = meta.find_referenced_templates(environment().parse(source(now)))
            waiting += [other for other in named if other is not None]
    return found


def test_every_template_is_of_the_frame_or_of_a_page() -> None:
    assert set().union(*(reads(name) for name in PAGES)) == set(NAMES)
    assert {name for name in NAMES if "/" not in name} == {BASE, MACROS, STYLE}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_the_frame_and_its_own_folder(name: str) -> None:
    """The version of a page counts these files and no others."""
    folder = name.partition("/")[0]
    counted = {Path(path).relative_to(TEMPLATES.relative_to(PROJECT_ROOT)).as_posix() for path in digests(folder)}
    assert {BASE, STYLE} <= reads(name) <= counted


def digests(folder: str) -> dict[str, str]:
    return file_digests(template_files(folder))


@pytest.mark.parametrize("name", sorted({*NAMES} - {BASE, STYLE}))
def test_only_the_base_makes_a_document_and_styles_it(name: str) -> None:
    assert re.findall(r"<!doctype|<html|<head\b|<style|<link|\bstyle=", source(name), re.IGNORECASE) == []


@pytest.mark.parametrize("name", sorted({*NAMES} - {MACROS}))
def test_every_table_scrolls_in_its_own_box_under_a_caption(name: str) -> None:
    assert "<table" not in source(name)


def test_the_frame_loads_nothing() -> None:
    assert re.findall(r"https?:|@import|url\(", "".join(source(name) for name in (BASE, MACROS, STYLE))) == []


def test_templates_have_one_environment() -> None:
    """Another one would have other filters, and another way to escape."""
    using = [name for name in PYTHON if re.search(r"\bjinja2\b", (PRODUCT / name).read_text(encoding="utf-8"))]
    assert using == ["pages/environment.py"]


def test_numbers_are_set_in_french_in_one_place() -> None:
    """Rooms that make figures write their own few sentences, which are data, and may not lean on pages."""
    makers = ("demo_territory/", "models/", "routing/", "release/verifier_preuve.py")
    written = re.compile(r"\.replace\(\s*\"[.,]\", *(?:\",\"|\"\\u202f\"|THIN)\)")
    using = [name for name in PYTHON if written.search((PRODUCT / name).read_text(encoding="utf-8"))]
    assert [name for name in using if not name.startswith(makers)] == ["pages/numbers.py"]


def minimal(fictitious: bool) -> str:
    return render_page("comparison/none.html.j2", fictitious=fictitious, reason="<b>Première</b> version.")


def test_a_page_says_that_its_data_are_fictitious() -> None:
    assert "Données fictives" in minimal(fictitious=True)
    assert "Données fictives" not in minimal(fictitious=False)


def test_a_page_is_a_whole_document_in_french_whose_text_is_escaped() -> None:
    html = minimal(fictitious=True)
    assert html.startswith('<!DOCTYPE html>\n<html lang="fr">\n')
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert "<title>Comparaison de versions — Data &amp; Quartiers</title>" in html
    assert 'href="#contenu"' in html
    assert '<main id="contenu">' in html
    assert "&lt;b&gt;Première&lt;/b&gt;" in html


def test_a_page_whose_content_is_missing_is_not_made() -> None:
    with pytest.raises(UndefinedError, match="reason"):
        render_page("comparison/none.html.j2", fictitious=False)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        *(("0.231 | nombre", "0,231"), ("1234.5 | nombre", "1\u202f234,5"), ("17.3333 | mesure", "17,33")),
        *(
            ("0.231 | cellule", "0,231"),
            ("0.30000000000000004 | significatif", "0,3"),
            ("1500 | octets", "1,5\u202fKo"),
        ),
        *(("'' | cellule", "vide"), ("'inbox' | provenance", "fichier déposé à la main"), ("none | statut", "—")),
        *(("2 | pluriel('constat')", "2 constats"), ("'dep:35' | territoire", "départements 35")),
    ],
)
def test_templates_write_with_the_same_formatter(written: str, shown: str) -> None:
    assert environment().from_string(f"{{{{ {written} }}}}").render() == shown


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    replace_text(path, "avant")
    replace_text(path, "après")
    assert path.read_text(encoding="utf-8") == "après"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.browser
def test_on_a_telephone_a_wide_table_scrolls_and_the_page_does_not(tmp_path: Path) -> None:
    wide = environment().from_string("""
        {% extends "base.html.j2" %}
        {% from "macros.html.j2" import scrolled %}
        {% block title %}Essai{% endblock %}
        {% block heading %}Essai{% endblock %}
        {% block invented %}Rien de réel.{% endblock %}
        {% block content %}
        <section><h2>Table <code>{{ "mart_affirmation_contre_exemple" * 3 }}</code></h2>
        {% call scrolled("Chiffres") %}
        <thead><tr>{% for n in range(30) %}<th scope="col">colonne {{ n }}</th>{% endfor %}</tr></thead>
        <tbody><tr>{% for n in range(30) %}<td class="n">{{ n }}</td>{% endfor %}</tr></tbody>
        {% endcall %}</section>
        {% endblock %}
        """)
    replace_text(tmp_path / "wide.html", wide.render(fictitious=True))
    with offline_browser() as visit:
        visit.page.set_viewport_size({"width": 390, "height": 844})
        page = visit.open(tmp_path / "wide.html")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.get_by_role("region", name="Chiffres").evaluate("box => box.scrollWidth > box.clientWidth")
        assert page.get_by_role("table", name="Chiffres").is_visible()
        page.keyboard.press("Tab")
        assert page.get_by_text("Aller au contenu").evaluate("link => link.getBoundingClientRect().left >= 0")
    assert (visit.asked, visit.errors) == ([], [])
