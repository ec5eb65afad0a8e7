"""Versions in Vertex AI's Model Registry, by the names that people give them."""

import re
import tempfile
from pathlib import Path
from typing import Any, Final

from components.dataset.description import NAME, Description
from components.dataset.errors import StepError
from components.dataset.folder import fetch_object
from components.upload.registry_lookup import DISPLAY_NAME
from pipeline.errors import CommandError, UsageError
from pipeline.runs.chosen_model import MODEL
from pipeline.runs.registry import ALIAS
from pipeline.text import command
from pipeline.vertex.refusals import call, explained
from pipeline.vertex.target import Target, patient, resolve

FULL_NAME: Final = re.compile("projects/([^/]+)/locations/([^/]+)/models/([^/@]+)(?:@(.+))?")


def named(
    reference: str | None, project: str | None, region: str | None
) -> tuple[Target, str, str]:
    """Where a version is, its model's name, and its number or alias.

    The reference is a number or an alias, with ``NAME@`` in front for another model than
    ``fashion-mnist``, or the full name that ``watch`` prints; None is the alias ``default``. The
    model's name is what people call it, or its full name if that was given.

    Raises:
        UsageError: There is no project or region, or no model can have that name.
    """
    if found := FULL_NAME.fullmatch(reference or ""):
        target = resolve(found[1], found[2], name=reference or "")
        return target, found[0].partition("@")[0], found[4] or ALIAS
    name, _, version = (ALIAS if reference is None else reference).rpartition("@")
    name = name or MODEL
    if not DISPLAY_NAME.fullmatch(name) or not version:
        raise UsageError(
            f"{reference!r} is not a version: give its number or alias, NAME@VERSION, or the "
            f"full name projects/…/models/…@…, as `{command('watch JOB')}` prints it"
        )
    return resolve(project, region), name, version


def find(target: Target, model: str, version: str) -> Any:
    """The ``Model`` message of a version; its ``name`` is the model's, without the version.

    Raises:
        CommandError: There is no such model or version, or several models have the name.
        CloudError: The service refused or did not answer.
    """
    name = model if FULL_NAME.fullmatch(model) else _only(target, model)
    known = _listed(target, "list_model_versions", f"read the versions of {model}", name=name)
    for one in known:
        if version == one.version_id or version in one.version_aliases:
            one.name = name
            return one
    there = ", ".join(" ".join((one.version_id, *map("({})".format, _own(one)))) for one in known)
    raise CommandError(
        f"{model} has no version {version!r} ({target}); there are {there}; {_registers(target)}"
    )


def description(target: Target, deployed: Any) -> Description | None:
    """What a deployed model was trained on, as its files say; None if that cannot be read."""
    doing, name = "look for its files", deployed.model.partition("@")[0]
    request = {"name": f"{name}@{deployed.model_version_id}"}
    try:
        model = call(target, "Model", "get_model", doing, patient(), request=request)
        with tempfile.TemporaryDirectory() as copy:
            fetch_object(f"{model.artifact_uri.rstrip('/')}/{NAME}", Path(copy, NAME))
            return Description.read(Path(copy))
    except (CommandError, StepError):
        return None


def title(model: Any) -> str:
    """A version as people read it: ``fashion-mnist version 3``."""
    return f"{model.display_name} version {model.version_id}"


def _own(version: Any) -> list[str]:
    """The aliases of a version, without those that name its run."""
    return [alias for alias in version.version_aliases if not re.search(r"\d{8}-\d{6}", alias)]


def _only(target: Target, name: str) -> str:
    query = {"parent": target.parent, "filter": f'display_name="{name}"'}
    models = _listed(target, "list_models", f"look for the model {name}", **query)
    names = [one.name.partition("@")[0] for one in models if one.display_name == name]
    if not names:
        raise CommandError(
            f"the Model Registry has no model {name!r} ({target}); {_registers(target)}"
        )
    if len(names) > 1:
        raise CommandError(
            f"several models are called {name} ({target}): give the version as one of "
            f"{', '.join(f'{one}@{ALIAS}' for one in sorted(names))}"
        )
    return str(names[0])


def _registers(target: Target) -> str:
    """How a version comes into the registry."""
    train = command(f"submit --bucket BUCKET --wait {target.flags}")
    return (
        f"`{train}` trains and registers one, while the models of `{command('run')}` are only on "
        "this machine"
    )


def _listed(target: Target, method: str, doing: str, **request: str) -> list[Any]:
    with explained(doing, target):
        return list(call(target, "Model", method, doing, patient(), request=request))
