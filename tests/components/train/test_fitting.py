import dataclasses

import pytest

from components.train.trainer.fitting import fitted
from components.train.trainer.hyperparameters import Hyperparameters
from tests.idx_files import FASHION

from .conftest import FLAGS, GLYPHS

STAGES = (4, 8, 16, 32, 64, 128)


@pytest.mark.parametrize(
    ("size", "most"), [((28, 28), 4), ((12, 20), 3), ((40, 8), 3), ((32, 32), 5), ((100, 64), 6)]
)
def test_a_network_has_as_many_stages_as_the_size_allows(
    size: tuple[int, int], most: int, said: pytest.LogCaptureFixture
) -> None:
    description = dataclasses.replace(FLAGS, height=size[0], width=size[1])
    assert fitted(Hyperparameters(filters=STAGES), description).filters == STAGES[:most]
    line = (
        f"filters has 6 stages, and pictures of {size[0]}x{size[1]} allow {most}: the first {most} "
        "are used"
    )
    assert said.messages == ([line] if most < 6 else [])


@pytest.mark.parametrize(
    ("augmentation", "used"), [("flip", "none"), ("flip+shift", "shift"), ("shift", "shift")]
)
def test_nothing_is_mirrored_where_that_changes_the_class(
    augmentation: str, used: str, said: pytest.LogCaptureFixture
) -> None:
    given = Hyperparameters(augmentation=augmentation, filters=(2, 2))
    found = fitted(given, GLYPHS)
    assert found == dataclasses.replace(given, augmentation=used, mirror_averaging=False)
    assert said.messages == [
        "a mirrored picture may be of another class: augmentation is "
        f"{used}, and mirror_averaging is off"
    ]
    assert fitted(found, GLYPHS) == found
    assert len(said.messages) == 1


def test_what_fits_is_used_as_it_is(said: pytest.LogCaptureFixture) -> None:
    assert fitted(Hyperparameters(), FASHION) == Hyperparameters()
    assert not said.messages
