from pathlib import Path

import pytest

from components.dataset.places import PlaceError, local_path


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("a/b", "a/b"),
        ("file:///a/b%20c", "/a/b c"),
        ("~/a", str(Path.home() / "a")),
        ("a:b/c", "a:b/c"),
        ("./s3://a", "s3:/a"),
    ],
)
def test_a_path_or_a_file_address_is_on_this_machine(place: str, path: str) -> None:
    assert local_path(place) == Path(path)


def test_a_bucket_address_is_not() -> None:
    assert local_path("gs://bucket/a") is None


@pytest.mark.parametrize(
    ("place", "start"),
    [
        ("s3://bucket/a", "s3://"),
        ("GS://bucket/a", "GS://"),
        ("gs:/bucket/a", "gs:/"),
        ("file://host/a", "file://"),
        ("https://user:secret@host/a", "https://"),
    ],
)
def test_another_address_is_refused_and_not_repeated(place: str, start: str) -> None:
    with pytest.raises(PlaceError) as caught:
        local_path(place)
    assert str(caught.value).startswith(f"an address that starts with {start} cannot be used; give")
