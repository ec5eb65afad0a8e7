import base64
import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from components.dataset.errors import DataError, SourceError
from components.dataset.facts import FILES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from components.ingest import fashion_mnist
from components.ingest.fetch import fetch
from components.ingest.landing import land
from components.ingest.sources import check_address, download, resolve
from tests import planted
from tests.fakes.mirror import serve_redirect
from tests.fakes.server import Handler, LoopbackServer
from tests.fakes.storage import FakeBucket
from tests.idx_files import write_idx_set


def test_without_a_source_the_order_is_system_project_mirrors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_DIRECTORY", "/usr/share/data")
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ("http://one/", "http://two/"))
    monkeypatch.setenv("FASHION_MNIST_DATA", "/checkout/data")
    assert resolve("") == ["/usr/share/data", "/checkout/data", "http://one/", "http://two/"]


def test_the_first_local_directory_with_all_four_files_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fashion_mnist, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.delenv("FASHION_MNIST_DATA")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"in none of {tmp_path}/system, {tmp_path}/data, "):
        fashion_mnist.find_raw()
    write_idx_set(tmp_path / "data", 2, 1)
    write_idx_set(tmp_path / "checkout" / "data", 2, 1)
    assert fashion_mnist.find_raw() == tmp_path / "data"
    next((tmp_path / "data").glob("*.gz")).unlink()
    assert fashion_mnist.find_raw() == tmp_path / "checkout" / "data"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        *[(source, "has the scheme .*://, expected a directory") for source in
          ("ftp://host/a", "s3://bucket/a", "FILE:///a", "file://h/a")],
        *[(source, "is not a usable address") for source in
          ("http://", "http://[::1", "http://host:99999/", "http://:80/", "gs:///a")],
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused(source: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        resolve(source)


@pytest.mark.parametrize("source", ["nowhere", "~nobody-of-this-name/data", "a\0b", "file:///no"])
def test_what_is_not_a_directory_is_refused(source: str) -> None:
    with pytest.raises(SourceError, match="is not a directory; give one"):
        resolve(source)


def test_a_directory_serves_compressed_files_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, copy = tmp_path / "a b", tmp_path / "copy"
    directory.mkdir()
    (source,) = resolve(f"file://{tmp_path}/a%20b")
    with pytest.raises(SourceError, match=rf"no {TRAIN_LABELS}\.gz there, and no other file"):
        download(source, TRAIN_LABELS, copy, 9)
    for name in (TRAIN_LABELS, f"{TRAIN_LABELS}.gz"):
        (directory / name).write_text(name)
        download(source, TRAIN_LABELS, copy, 9)
        assert copy.read_text() == name

    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(SourceError, match=r"cannot be read \(Permission denied\)"):
        download(source, TRAIN_LABELS, copy, 9)


def test_a_bucket_serves_what_is_below_the_prefix(fake: FakeBucket, tmp_path: Path) -> None:
    fake.put(f"some/where/{TRAIN_LABELS}", b"plain")
    (source,) = resolve("gs://bucket/some/where/")
    download(source, TRAIN_LABELS, tmp_path / "copy", 9)
    assert (tmp_path / "copy").read_bytes() == b"plain"
    with pytest.raises(SourceError, match=rf"no {TEST_LABELS}\.gz there, only {TRAIN_LABELS}"):
        download(source, TEST_LABELS, tmp_path / "copy", 9)


@pytest.mark.parametrize(
    "source",
    [
        planted.IN_ADDRESS,
        planted.SIGNED,
        f"https://{planted.SECRET}@host/",
        f"https://a:p@{planted.SECRET}@host/",
        f"gs://a:{planted.SECRET}@bucket/x",
        f"https://host/#{planted.SECRET}",
        f"http://user:{planted.SECRET}/ss@host/",
        f"http://user:pa/{planted.SECRET}@host:80/",
        f"http://[::1]:{planted.SECRET}/",
    ],
)
def test_a_source_with_credentials_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(SourceError) as caught:
        resolve(source)
    assert not planted.told(str(caught.value))


@pytest.mark.parametrize(
    "source", ["", "/a@b/c?d", "gs://bucket/a b", "https://host/a/@/", "http://[::1]:80/@"]
)
def test_a_source_without_credentials_passes(source: str) -> None:
    check_address(source)


@pytest.mark.parametrize(
    "location",
    [
        f"http://127.0.0.1:9/a.gz?sig={planted.SECRET}",
        f"http://somebody:{planted.SECRET}@127.0.0.1:9/a.gz",
        f"ftp://somebody:{planted.SECRET}@host/a.gz?sig={planted.SECRET}",
        f"http://[::1/?sig={planted.SECRET}",
        f"/again?sig={planted.SECRET}",
        f"http://somebody:{planted.SECRET}@/",
        f"http://somebody:{planted.SECRET}/ss@host/",
    ],
)
def test_credentials_of_a_redirect_are_in_no_error_and_no_log(
    location: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "components")
    with serve_redirect(location) as url, pytest.raises(SourceError) as caught:
        fetch([url], FILES[1], None, tmp_path)
    assert not planted.told(str(caught.value))
    assert not planted.told(caplog.text)


def test_a_proxys_password_is_in_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", planted.PROXY)
    with pytest.raises(SourceError) as caught:
        fetch(["http://mirror.invalid/"], FILES[1], None, tmp_path)
    assert not planted.told(str(caught.value))


class AsksWho(Handler):
    """Has nothing for the user of ``~/.netrc``, and refuses everybody else."""

    def do_GET(self) -> None:
        basic = "Basic " + base64.b64encode(f"somebody:{planted.SECRET}".encode()).decode()
        self.send_response(404 if self.headers.get("Authorization") == basic else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()


def test_a_password_of_netrc_is_used_and_in_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login somebody password {planted.SECRET}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with LoopbackServer(AsksWho) as server, pytest.raises(SourceError, match="404") as caught:
        fetch([server.url], FILES[1], None, tmp_path)
    assert not planted.told(str(caught.value))


PRODUCERS = {
    "Kaggle": lambda name: name.replace("-idx", ".idx"),
    "Kaggle's folders": lambda name: f"{name}/{name}",
    "torchvision": lambda name: f"FashionMNIST/raw/{name}.gz",
    "EMNIST": lambda name: f"gzip/emnist-letters-{name.replace('t10k', 'test')}.gz",
    "QMNIST": lambda name: (
        f"qmnist-{name.replace('t10k', 'test').replace('idx1-ubyte', 'idx2-int')}"
    ),
    "capitals": lambda name: f"{name.upper()}.GZ",
}


@pytest.mark.parametrize("spell", PRODUCERS.values(), ids=PRODUCERS.keys())
def test_files_are_found_by_the_names_that_producers_give_them(
    spell: Callable[[str], str],
    files: dict[str, bytes],
    fake: FakeBucket,
    tmp_path: Path,
) -> None:
    for name in FILES:
        path = tmp_path / "source" / spell(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[f"{name}.gz"])
        (path.parent / f"{name}-preview.png").write_bytes(b"\x89PNG")
        fake.put(f"own/{spell(name)}", files[f"{name}.gz"])
    for source in (str(tmp_path / "source"), "gs://bucket/own"):
        for name in FILES:
            download(source, name, tmp_path / "copy", 1 << 20)
            assert (tmp_path / "copy").read_bytes() == files[f"{name}.gz"]


def test_two_sets_in_one_folder_are_told_apart_by_nobody(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    for kind in ("letters", "digits"):
        (tmp_path / f"emnist-{kind}-{TRAIN_LABELS}.gz").write_bytes(files[f"{TRAIN_LABELS}.gz"])
    with pytest.raises(
        DataError, match=r"emnist-digits-.* and emnist-letters-.* folder of their own"
    ):
        download(str(tmp_path), TRAIN_LABELS, tmp_path / "copy", 1 << 20)


def test_a_near_match_is_named_and_the_advice_fits_what_was_given(
    fake: FakeBucket, tmp_path: Path
) -> None:
    (tmp_path / "train-label-idx1-ubyte.gz").write_bytes(b"")
    with pytest.raises(SourceError) as caught:
        land("gs://bucket", str(tmp_path), {}, allow_unverified=True)
    assert (
        f"no {TRAIN_IMAGES}.gz there, only train-label-idx1-ubyte.gz; rename the file, or"
        in str(caught.value)
    )
