"""A page in headless Chromium, and what is wrong with it there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.pictures import BROWSERS

OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > wide) found.push(`the page is wider than ${wide}`);
  const scrolls = e => e && (getComputedStyle(e).overflowX === "auto" || scrolls(e.parentElement));
  for (const e of document.body.querySelectorAll("*:not(svg *)")) {
    if (scrolls(e)) continue;
    const box = e.getBoundingClientRect();
    const outside = box.width && (box.left < -1 || box.right > wide + 1);
    if (outside || (e.clientWidth && e.scrollWidth > e.clientWidth + 1))
      found.push(`${e.tagName} ${e.textContent.trim().slice(0, 40)}`);
  }
  return found;
}"""
CONTRAST = """least => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  const over = (top, below) => {
    const a = top[3] ?? 1;
    return [0, 1, 2].map(i => a * top[i] + (1 - a) * below[i]);
  };
  const ground = e => {
    if (!e) return [255, 255, 255];
    const own = parse(getComputedStyle(e).backgroundColor);
    return own[3] === 0 ? ground(e.parentElement) : over(own, ground(e.parentElement));
  };
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement, text = texts.currentNode.textContent.trim();
    if (!text || !e.getClientRects().length) continue;
    const style = getComputedStyle(e), below = ground(e);
    const ink = light(over(parse(e.closest("svg") ? style.fill : style.color), below));
    const paper = light(below);
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < least) found.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  return found;
}"""


def installed() -> str:
    """The path of the system's Chromium; skips the test where there is none."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    return path


@contextmanager
def chromium(*options: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = installed()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *options])
        yield browser
        browser.close()


def look(browser: Any, path: Path, *, width: int, height: int, scheme: str) -> dict[str, list[str]]:
    """Opens a file, unfolds everything, and lists what is wrong by kind.

    What can be scrolled may be wider than its box.
    """
    requests: list[str] = []
    console: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    found = {
        "requests": [url for url in requests if not url.startswith(("data:", path.as_uri()))],
        "console": console,
        "overflow": page.evaluate(OVERFLOW),
        "contrast": page.evaluate(CONTRAST, 4.5),
    }
    context.close()
    return {kind: texts for kind, texts in found.items() if texts}
