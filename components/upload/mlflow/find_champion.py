"""The step that looks up the champion in MLflow's registry."""

from kfp.dsl import Model, Output

from components.embedding import step


@step(pins="find_champion_mlflow")
def find_champion(
    model_name: str,
    tracking_uri: str,
    champion_alias: str,
    champion_uri: str,
    champion: Output[Model],
) -> bool:
    """Looks up the version that the challenger has to beat, and brings its files.

    Args:
        model_name: Name of the registered model.
        tracking_uri: Address of MLflow's server; empty: there is none.
        champion_alias: Alias or number of the version to compare with; ``none``: with nothing.
        champion_uri: Without MLflow, the model to compare with: an address of a SavedModel
            directory; empty: none.
        champion: The version's SavedModel with a ``champion.json``, and metadata resourceName,
            version and digest, as the file has them; without a champion an empty ``champion.json``.

    Returns:
        Whether the registry already has a model of that name.
    """
    import logging
    from pathlib import Path

    from components.upload.mlflow import lookup

    there, found = lookup.look_up(
        model_name, tracking_uri, champion_alias, champion_uri, Path(champion.path)
    )
    champion.metadata.update(found.facts)
    logging.getLogger(__name__).info(found.sentence)
    return there
