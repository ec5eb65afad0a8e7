"""The served page in a browser: how it is opened, asked and read."""

import base64
import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
ELSEWHERE = r"(http|ws)s?://(?!127\.0\.0\.1:)"


@contextlib.contextmanager
def opening(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the page; at the end nothing may have gone elsewhere, nor gone wrong."""
    requests: list[str] = []
    console: list[str] = []
    contexts = []

    def opened(**options: Any) -> Any:
        context = chromium.new_context(**options)
        context.grant_permissions(["camera", "clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.goto(address, wait_until="networkidle")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [url for url in requests if re.match(ELSEWHERE, url)] == []
    assert [text for text in console if "400" not in text] == []


def as_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def choose(page: Any, *pictures: bytes, name: str = "boot.png") -> None:
    kind = "image/jpeg" if name.endswith(".jpg") else "image/png"
    files = [{"name": name, "mimeType": kind, "buffer": one} for one in pictures]
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose pictures").click()
    chooser.value.set_files(files)


def drop(page: Any, content: bytes) -> None:
    page.evaluate(
        """data => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], "boot.png", { type: "image/png" }));
            const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
            document.querySelector(".out").dispatchEvent(new DragEvent("drop", options));
        }""",
        as_base64(content),
    )


def paste(page: Any, content: bytes) -> None:
    page.evaluate(
        """async data => {
            const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
            const blob = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        as_base64(content),
    )
    page.keyboard.press("Control+V")


def answer(page: Any, number: int = 0) -> Any:
    """The card with an answer, once it has one."""
    card = page.locator("#answers article:not([aria-busy])").nth(number)
    card.wait_for()
    return card


def bars(card: Any) -> dict[str, str]:
    """The probabilities as they are written, by class."""
    lines = card.locator(".bars").first.locator("li").all_inner_texts()
    return dict(line.rsplit("\n", 1) for line in lines)
