"""What a step says about credentials that are no longer accepted, or never were any."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.exceptions import RefreshError, TransportError

from components.dataset import bucket
from components.dataset.errors import BucketError
from tests import planted
from tests.fakes.refusals import typed
from tests.fakes.sign_in import KEY_DELETED, POOL, ROBOT, SignIn, denied, serve_sign_in

URI = "gs://bucket/object"
LOGIN = "sign in with `gcloud auth application-default login"
NO_TOKEN = typed(
    403,
    "IAM_PERMISSION_DENIED",
    "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
    domain="iam.googleapis.com",
    permission="iam.serviceAccounts.getAccessToken",
)
API_OFF = typed(
    403,
    "SERVICE_DISABLED",
    "IAM Service Account Credentials API has not been used in project 42 before or it is disabled.",
    service="iamcredentials.googleapis.com",
    consumer="projects/42",
)
CLOCK = denied(
    "invalid_grant",
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim.",
)
ACCOUNT_DELETED = denied("invalid_grant", "Invalid grant: account not found")
EXPIRED = denied("invalid_grant", "Token has been expired or revoked.")
REAUTH = denied("invalid_grant", "reauth related error (invalid_rapt)")
NO_POOL = denied("invalid_target", "The pool or provider is disabled or deleted.")
CASES = [
    (
        "service_account",
        KEY_DELETED,
        "make a new key with `gcloud iam service-accounts keys create",
    ),
    ("service_account", CLOCK, "set this machine's clock"),
    ("service_account", ACCOUNT_DELETED, "account not found); look for the key in `gcloud"),
    ("authorized_user", EXPIRED, f"{LOGIN}` and unset"),
    ("authorized_user", REAUTH, f"{LOGIN}` and unset"),
    ("authorized_user", (503, {}), "run again in some minutes"),
    ("impersonated_service_account", EXPIRED, f"{LOGIN} --impersonate-service-account={ROBOT}`"),
    ("external_account", NO_POOL, "look at the workload identity pool and provider that"),
    (
        "external_account",
        NO_TOKEN,
        f"add-iam-policy-binding {ROBOT} --member=principal:{POOL}/subject/SUBJECT "
        "--role=roles/iam.workloadIdentityUser`",
    ),
    (
        "impersonated_service_account",
        NO_TOKEN,
        f"{ROBOT} --member=user:YOU --role=roles/iam.serviceAccountTokenCreator`",
    ),
    ("external_account", API_OFF, "`gcloud services enable iamcredentials.googleapis.com --proj"),
]


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that knows no Google account and is none of Google's own."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    bucket._client_for.cache_clear()
    yield
    bucket._client_for.cache_clear()


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[SignIn]:
    with serve_sign_in(monkeypatch) as fake:
        yield fake


def refused() -> str:
    with pytest.raises(BucketError) as caught:
        bucket.stat(URI)
    text = str(caught.value)
    assert text.startswith(f"{URI} needs credentials (")
    assert "(('" not in text, "no Python tuple"
    return text


@pytest.mark.parametrize(("kind", "answer", "said"), CASES)
def test_credentials_are_named_with_where_they_come_from_and_what_to_do(
    kind: str,
    answer: Any,
    said: str,
    sign_in: SignIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = sign_in.file(kind, tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    if isinstance(answer, tuple):
        sign_in.answers["/token"] = answer
    else:
        sign_in.answers["/accounts"] = (answer.status, {"error": answer.body})
    text = refused()
    assert said in text
    if "run again" not in said:
        assert f"unset GOOGLE_APPLICATION_CREDENTIALS, which names {path} and wins over" in text


def test_a_login_of_gcloud_that_expired_is_renewed(sign_in: SignIn, tmp_path: Path) -> None:
    (tmp_path / "gcloud").mkdir()
    path = sign_in.file("authorized_user", tmp_path)
    path.rename(tmp_path / "gcloud" / "application_default_credentials.json")
    sign_in.answers["/token"] = EXPIRED
    assert refused().endswith(f"(invalid_grant: Token has been expired or revoked); {LOGIN}`")


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "no JSON",
        "{}",
        '{"type": "robot"}',
        '{"type": "service_account"}',
        "directory",
        "missing",
    ],
)
def test_a_file_that_holds_no_credentials_is_named(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    if content == "directory":
        path.mkdir()
    elif content != "missing":
        path.write_text(content)
    text = refused()
    assert f"correct GOOGLE_APPLICATION_CREDENTIALS, which names {path}, or unset it" in text
    assert "('" not in text, "no Python tuple"


def test_a_metadata_server_without_a_token_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step on Vertex AI has no file of credentials."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    said = TransportError("Failed to retrieve a token. Status: 404", object())
    with (
        pytest.raises(BucketError) as caught,
        bucket.storage_call(URI, "objectViewer"),
    ):
        raise RefreshError(said)
    assert str(caught.value) == f"{URI} needs credentials (Failed to retrieve a token. Status: 404)"


def test_a_key_is_not_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = planted.service_account(tmp_path / "key.json")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    assert not planted.told(refused())


def test_without_any_credentials_the_login_is_named() -> None:
    assert refused().endswith(f"; {LOGIN}`")
