"""What Google's services refuse, as errors that name the missing role and the way out."""

import contextlib
from collections.abc import Iterator
from typing import Final

from components.dataset.errors import StepError

WAY_OUT: Final = "or run with -p champion_alias=none to compare with nothing"


class ChampionError(StepError):
    """The registry cannot be read, or what it holds is no champion one can compare with."""


@contextlib.contextmanager
def registry_refusals(where: str) -> Iterator[None]:
    """Explains what Vertex AI refuses within the block.

    Args:
        where: The registry, with its project and location.

    Raises:
        ChampionError: It may not be read, there are no credentials, or it does not answer.
    """
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except exceptions.Forbidden as error:
        if error.reason == "SERVICE_DISABLED":
            cure = "enable the API aiplatform.googleapis.com there"
        else:
            cure = "grant the pipeline's service account the role roles/aiplatform.viewer there"
        raise ChampionError(f"{where} may not be read: {cure} ({_first_line(error)})") from error
    except (GoogleAuthError, exceptions.Unauthorized) as error:
        raise ChampionError(f"no valid credentials for {where} ({_first_line(error)})") from error
    except (exceptions.BadRequest, exceptions.NotFound) as error:
        raise ChampionError(
            f"{where} refused the look-up ({_first_line(error)}): "
            "check project, location and model_name"
        ) from error
    except (exceptions.GoogleAPIError, OSError) as error:
        raise ChampionError(f"{where} did not answer ({_first_line(error)}); run again") from error


@contextlib.contextmanager
def bucket_refusals(file: str) -> Iterator[None]:
    """Explains what Cloud Storage refuses within the block.

    Args:
        file: The file's URI and the version that it belongs to.

    Raises:
        ChampionError: It may not be read, there are no credentials, or the bucket is out of reach.
    """
    from google.api_core.exceptions import Forbidden, GoogleAPIError, Unauthorized
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except Forbidden as error:
        raise ChampionError(
            f"{file} may not be read: grant the pipeline's service account "
            f"roles/storage.objectViewer on that bucket ({_first_line(error)}), {WAY_OUT}"
        ) from error
    except (GoogleAuthError, Unauthorized) as error:
        raise ChampionError(f"no valid credentials for {file} ({_first_line(error)})") from error
    except (GoogleAPIError, OSError) as error:
        raise ChampionError(
            f"{file} cannot be reached ({_first_line(error)}); run again"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
