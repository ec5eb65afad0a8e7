"""The step that looks up the champion."""

from google_cloud_pipeline_components.types.artifact_types import VertexModel
from kfp.dsl import Model, Output

from components.embedding import step


@step()
def find_champion(
    model_name: str,
    champion_alias: str,
    project: str,
    location: str,
    champion: Output[Model],
    parent: Output[VertexModel],
) -> bool:
    """Looks up the version that the challenger has to beat.

    Args:
        model_name: Display name in the Model Registry.
        champion_alias: Alias or number of the version to compare with; ``none``: with nothing.
        project: Project id whose registry is read.
        location: Region of the registry.
        champion: The version's SavedModel; metadata resourceName, version and digest, or none
            when there is nothing to compare with.
        parent: The model that has the versions; metadata resourceName, or none without a model.

    Returns:
        Whether the registry already has a model of that name.
    """
    import logging

    from components.upload import registry_lookup

    model, found = registry_lookup.look_up(model_name, champion_alias, project, location)
    said = f"The registry has no model {model_name!r} yet: there is no champion."
    if model:
        parent.uri = f"https://{location}-aiplatform.googleapis.com/v1/{model}"
        parent.metadata["resourceName"] = model
        said = f"Model {model_name!r} exists, and no champion was asked for (alias none)."
    if found:
        champion.uri = found.uri
        champion.metadata["resourceName"] = found.resource_name
        champion.metadata["version"] = found.version
        champion.metadata["digest"] = found.digest
        said = f"The champion is version {found.version} of {model_name!r}, at {found.uri}."
    logging.getLogger(__name__).info(said)
    return bool(model)
