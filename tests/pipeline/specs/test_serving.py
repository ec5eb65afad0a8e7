import datetime

import pytest

from pipeline.specs import serving

LAST = datetime.date(2027, 1, 14)


@pytest.mark.parametrize("days", [61, 400])
def test_long_before_its_last_day_an_image_is_no_reason_for_a_warning(days: int) -> None:
    today = LAST - datetime.timedelta(days=days)
    assert serving.warning(serving.DEFAULT_IMAGE, today) == ""


@pytest.mark.parametrize(("days", "left"), [(60, "60 more days"), (0, "0 more days")])
def test_near_its_last_day_the_days_are_counted(days: int, left: str) -> None:
    said = serving.warning(serving.DEFAULT_IMAGE, LAST - datetime.timedelta(days=days))
    assert f"is available until 14 January 2027, {left}: build serving/Dockerfile" in said


def test_after_its_last_day_it_is_said_to_be_gone() -> None:
    said = serving.warning(serving.DEFAULT_IMAGE, LAST + datetime.timedelta(days=1))
    assert "was available until 14 January 2027 only: build serving/Dockerfile" in said


def test_nothing_is_known_against_an_image_of_ones_own() -> None:
    assert serving.warning("europe-docker.pkg.dev/p/r/serving:1", datetime.date(2040, 1, 1)) == ""
