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

    found = registry_lookup.look_up(model_name, champion_alias, project, location)
    if found.parent:
        parent.uri = f"https://{location}-aiplatform.googleapis.com/v1/{found.parent}"
        parent.metadata["resourceName"] = found.parent
    if found.champion:
        champion.uri = found.champion.uri
        champion.metadata["resourceName"] = found.champion.resource_name
        champion.metadata["version"] = found.champion.version
        champion.metadata["digest"] = found.champion.digest
    logging.getLogger(__name__).info(registry_lookup.summary(found, model_name))
    return bool(found.parent)
