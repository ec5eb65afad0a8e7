"""Every link in the documents leads somewhere; those that leave the project are well formed."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.compiler import PROJECT
from tests.documents.pages import PAGES, anchors, links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_each_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        url = urlsplit(link)
        if url.scheme:
            assert url.scheme in ("https", "http"), link
            assert "." in url.netloc, link
            continue
        target = (page.parent / url.path).resolve() if url.path else page
        assert target.exists(), link
        if url.fragment:
            assert url.fragment in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        paths = [urlsplit(link) for link in links(page)]
        waiting += [
            (page.parent / url.path).resolve()
            for url in paths
            if not url.scheme and url.path.endswith(".md")
        ]
    assert set(PAGES) <= reached
