"""The step that downloads the raw dataset."""

from typing import Any

from kfp.dsl import Artifact, Dataset, Output

from components.embedding import step


@step()
def ingest(
    raw: Output[Dataset],
    landing: Output[Artifact],
    bucket_uri: str = "",
    source: str = "",
    dataset: dict[str, Any] = {},  # noqa: B006  (kfp compiles the default into the spec)
    allow_unverified: bool = False,
) -> None:
    """Downloads the four files of a data set, verified.

    Args:
        raw: The directory of the four ``.gz`` files and ``dataset.json``; its metadata are the
            content's digests, counts and form, and whether they were verified.
        landing: A JSON file with the source of each file; no step reads it.
        bucket_uri: ``gs://bucket`` or ``gs://bucket/prefix`` to which the files go once, below
            ``raw/``, with ``raw`` pointing there; empty: to where ``raw`` is.
        source: A directory, also as ``file:///…``, an ``http(s)://`` base or a ``gs://`` prefix;
            empty: the system's package directory, the project's ``data/``, the public mirrors, in
            order.
        dataset: The description of the data: name, classes, height, width, digests and so on;
            empty: the ``dataset.json`` beside the files, else FashionMNIST's.
        allow_unverified: Accepts data without ``digests``, and describes what nothing describes.
    """
    import json
    from pathlib import Path

    from components.ingest.landing import land

    landed = land(bucket_uri, source, dataset, allow_unverified, Path(raw.path))
    if bucket_uri:
        raw.uri = landed.uri
    raw.metadata.update(landed.metadata)
    Path(landing.path).write_text(json.dumps(landed.report, indent=1))
