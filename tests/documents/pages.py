"""The documents, cut into what the tests look at: code blocks, links, headings."""

import dataclasses
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.compiler import PROJECT

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(PROJECT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """All blocks in one of the languages, page by page."""
    return [
        Block(page, (token.map or [0])[0] + 1, token.info, token.content)
        for page in PAGES
        for token in MARKDOWN.parse(page.read_text())
        if token.type == "fence" and token.info in languages
    ]


def languages() -> set[str]:
    """The languages that occur."""
    tokens = [token for page in PAGES for token in MARKDOWN.parse(page.read_text())]
    return {token.info for token in tokens if token.type == "fence"}


def links(page: Path) -> list[str]:
    """Where the page's links and pictures lead."""
    found = []
    for token in inline(page):
        for child in token.children or []:
            if target := child.attrGet("href") or child.attrGet("src"):
                found.append(str(target))
    html = "".join(
        token.content
        for token in MARKDOWN.parse(page.read_text())
        if token.type in {"html_block", "html_inline"}
    )
    return found + re.findall(r'(?:src|href)="([^"]+)"', html)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the page's headings."""
    found: list[str] = []
    tokens = MARKDOWN.parse(page.read_text())
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            text = "".join(child.content for child in token.children or [])
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            again = sum(name == slug or name.startswith(f"{slug}-") for name in found)
            found.append(f"{slug}-{again}" if slug in found else slug)
    return set(found)


def tables(page: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Each table of a page with the heading that it stands under: its rows, the first the head."""
    heading = ""
    rows: list[list[str]] = []
    cells: list[str] = []
    for token in MARKDOWN.parse(page.read_text()):
        if token.type == "inline" and token.level == 1:
            heading = token.content
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            cells = []
        elif token.type == "inline":
            cells = [*cells, token.content]
        elif token.type == "tr_close":
            rows = [*rows, cells]
        elif token.type == "table_close":
            yield heading, rows


def inline(page: Path) -> list[Token]:
    return [token for token in MARKDOWN.parse(page.read_text()) if token.type == "inline"]
