import pytest

from components.dataset.redaction import one_line, redacted
from tests import planted


def test_a_text_keeps_everything_but_the_credentials() -> None:
    text = f"no answer from {planted.IN_ADDRESS}a.gz?key={planted.SECRET} (asked twice?)"
    assert redacted(text) == (
        "no answer from http://***@mirror.invalid/data/a.gz?*** (asked twice?)"
    )
    slash = f"see ftp://somebody:pa/{planted.SECRET}@host/ for it"
    assert redacted(slash) == "see ftp://***@host/ for it"
    for host in ("console.cloud.google.com.host", "host/console.cloud.google.com"):
        assert redacted(f"https://{host}/a?b=1") == f"https://{host}/a?***"


@pytest.mark.parametrize(
    "address",
    [
        *("http://host:80/a@b", "http://[::1]:80/a@b", "a@b://c"),
        "(see https://console.cloud.google.com/iam-admin/quotas?project=p)",
        "visiting https://console.developers.google.com/billing/enable?project=1 then retry",
    ],
)
def test_an_address_without_credentials_is_kept(address: str) -> None:
    assert redacted(address) == address


def test_a_line_is_cut_after_what_it_must_not_tell_and_a_terminal_obeys_none_of_it() -> None:
    text = f"PUT https://host/upload?upload_id={planted.SECRET * 20}: no\n\x1b[31mroom " + "x" * 300
    line = one_line(text, 60)
    assert line.startswith("PUT https://host/upload?*** no  [31mroom xxx")
    assert line.endswith("...")
    assert len(line) == 60
