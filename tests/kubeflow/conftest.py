from collections.abc import Iterator

import pytest

from tests.kubeflow.store import Store, serve


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with serve(tmp_path_factory.mktemp("s3"), "mlpipeline", "other") as served:
        yield served
