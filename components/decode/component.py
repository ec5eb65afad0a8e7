"""The step that converts the raw dataset to records."""

from kfp.dsl import Dataset, Input, Output

from components.embedding import step


@step()
def decode(
    raw: Input[Dataset],
    train_records: Output[Dataset],
    validation_records: Output[Dataset],
    test_records: Output[Dataset],
    shards: int = 8,
    validation_examples: int = -1,
    seed: int = 0,
) -> None:
    """Converts the raw IDX files to shuffled, stratified shards of records.

    Args:
        raw: The directory of the four ``.gz`` files and ``dataset.json``, read as a stream: from
            its path, or from its URI (``gs://…``) where nothing is at the path.
        train_records: A directory of TFRecord shards, ``dataset.json`` and ``manifest.json``: the
            training split without the validation examples, shuffled.
        validation_records: The validation examples, stratified by class, shuffled.
        test_records: The test split in its official order.
        shards: Files of each split.
        validation_examples: Training examples that become validation examples; -1: one of
            twelve; 0: none, and training validates on nothing.
        seed: Decides the order, and which examples are for validation.
    """
    from pathlib import Path

    from components.decode.conversion import convert

    outputs = {"train": train_records, "validation": validation_records, "test": test_records}
    directories = {split: Path(output.path) for split, output in outputs.items()}
    summary = convert(
        raw.path if Path(raw.path).is_dir() else raw.uri,
        directories,
        shards=shards,
        validation_examples=validation_examples,
        seed=seed,
    )
    for split, output in outputs.items():
        output.metadata.update(summary[split])
