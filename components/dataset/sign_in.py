"""The credentials that Google's clients sign in with: what they name, and what to do about them."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

LOGIN: Final = "gcloud auth application-default login"
VARIABLE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
ACT_FOR: Final = "roles/iam.serviceAccountTokenCreator"
POOL: Final = re.compile(r"//(iam\.googleapis\.com/\S+Pools/[^/]+)/")
"""The pool of external credentials, within their audience."""
SIGN_IN: Final = {
    "authorized_user": f"sign in with `{LOGIN}`",
    "external_account_authorized_user": f"sign in with `{LOGIN}`",
    "impersonated_service_account": (
        f"sign in with `{LOGIN} --impersonate-service-account={{account}}`"
    ),
    "service_account": (
        "look for the key in `gcloud iam service-accounts keys list --iam-account={account}`"
    ),
    "external_account": "look at the workload identity pool and provider that {path} names",
}
"""What to do about credentials that are refused for no known reason, by their kind."""


def member(caller: str, audience: str = "") -> str:
    """An account as ``gcloud --member`` takes it.

    Without an account it is the person who reads this, or with the ``audience`` of external
    credentials a subject of its pool.
    """
    if not caller and audience:
        pool = POOL.match(audience)
        return f"principal://{pool[1]}/subject/SUBJECT" if pool else "PRINCIPAL"
    if caller.startswith("principal"):
        return caller
    is_robot = caller.endswith("gserviceaccount.com")
    return f"{'serviceAccount' if is_robot else 'user'}:{caller or 'YOU'}"


def default_file() -> tuple[str, dict[str, str]]:
    """The kind of the default credentials' file, and what it names, as far as known.

    That is its path, the account that it signs in as, and the member that may act for it with a
    role.
    """
    from google.auth import _cloud_sdk

    path = os.environ.get(VARIABLE) or _cloud_sdk.get_application_default_credentials_path()
    origin = {"path": path}
    with suppress(AttributeError, OSError, ValueError):
        content = json.loads(Path(path).read_text())
        address = content.get("service_account_impersonation_url") or ""
        account = content.get("client_email") or address.rpartition("/")[2].partition(":")[0]
        source = content.get("source_credentials", content)
        origin["member"] = member(source.get("client_email", ""), source.get("audience", ""))
        if source.get("audience"):
            origin["role"] = "roles/iam.workloadIdentityUser"
        return content.get("type", ""), origin | ({"account": account} if account else {})
    return "", origin


def sign_in(error: Any, code: int, kind: str, found: str) -> str:
    """What to do about credentials, with the variable that they come from."""
    from google.auth.exceptions import DefaultCredentialsError

    is_set = bool(os.environ.get(VARIABLE))
    if getattr(error, "retryable", False):
        return "run again in some minutes"
    if isinstance(error, DefaultCredentialsError):
        unusable = f"correct {VARIABLE}, which names {{path}}, or unset it to use gcloud's login"
        return unusable if is_set else f"sign in with `{LOGIN}`"
    if not found and code in (0, 401):
        found = SIGN_IN.get(kind, "")
    if not is_set:
        return found
    joined = " and " if LOGIN in found else ", or " if found else ""
    return f"{found}{joined}unset {VARIABLE}, which names {{path}} and wins over gcloud's login"


@contextmanager
def reading_credentials() -> Iterator[None]:
    """Makes a file that holds no credentials an error of Google's clients, whatever it holds."""
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

    try:
        yield
    except DefaultCredentialsError as error:
        # What the client adds about an unknown type is a Python tuple.
        raise DefaultCredentialsError(str(error.args[0]).partition(" Type is ")[0]) from error
    except GoogleAuthError:
        raise
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        why = getattr(error, "strerror", "") or "the file holds no credentials"
        raise DefaultCredentialsError(why) from error
