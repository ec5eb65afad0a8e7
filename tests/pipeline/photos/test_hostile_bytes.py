"""Any bytes at all: a picture for the network, or the one error, and nothing else."""

from hypothesis import given, settings

from pipeline.photos.preparation import seen_by_network
from tests.fuzz.photos import PHOTOS, SOUND
from tests.fuzz.targets import TARGETS


def test_the_sound_files_are_sound() -> None:
    for data in SOUND:
        assert seen_by_network(data).max() > 200


@settings(max_examples=900, deadline=None, derandomize=True)
@given(PHOTOS)
def test_damaged_images_raise_nothing_but_the_documented_error(data: bytes) -> None:
    TARGETS["photo"](data)
