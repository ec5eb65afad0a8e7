"""Files of credentials of each kind, and the loopback server that they sign in at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.server import Handler, LoopbackServer

ROBOT: Final = "robot@my-project.iam.gserviceaccount.com"
POOL: Final = "//iam.googleapis.com/projects/12345/locations/global/workloadIdentityPools/pool"
GRANTED: Final = {
    "access_token": "token",
    "token_type": "Bearer",
    "expires_in": 3600,
    "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
}


def denied(error: str, description: str) -> tuple[int, dict[str, Any]]:
    return 400, {"error": error, "error_description": description}


KEY_DELETED: Final = denied("invalid_grant", "Invalid JWT Signature.")


@dataclass
class SignIn:
    """A server of tokens; ``answers``: status and JSON of each of its paths."""

    url: str = ""
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)

    def file(self, kind: str, folder: Path) -> Path:
        """Writes credentials of a kind that sign in here, and returns their file."""
        login = {"type": "authorized_user", "client_id": "a", "client_secret": "b"}
        login["refresh_token"] = "c"
        impersonation = f"{self.url}/accounts/{ROBOT}:generateAccessToken"
        contents: dict[str, dict[str, Any]] = {
            "authorized_user": login,
            "service_account": {
                "client_email": ROBOT,
                "private_key": _key(),
                "token_uri": f"{self.url}/token",
            },
            "external_account": {
                "audience": f"{POOL}/providers/one",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": f"{self.url}/token",
                "credential_source": {"file": str(folder / "subject")},
                "service_account_impersonation_url": impersonation,
            },
            "impersonated_service_account": {
                "source_credentials": login,
                "service_account_impersonation_url": impersonation,
            },
        }
        (folder / "subject").write_text("subject")
        path = folder / f"{kind}.json"
        path.write_text(json.dumps({"type": kind, **contents[kind]}))
        return path


@contextmanager
def serve_sign_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[SignIn]:
    with LoopbackServer(_Handler) as server:
        fake = SignIn(server.url, {"/token": (200, GRANTED)})
        server.fake = fake  # type: ignore[attr-defined]
        endpoint = "google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT"
        monkeypatch.setattr(endpoint, f"{server.url}/token")
        account = f"{server.url}/accounts/{{}}:generateAccessToken"
        monkeypatch.setattr("google.auth.iam._IAM_ENDPOINT", account)
        yield fake


class _Handler(Handler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fake: SignIn = self.server.fake  # type: ignore[attr-defined]
        found = next(key for key in fake.answers if self.path.startswith(key))
        status, content = fake.answers[found]
        self.answer(status, {}, json.dumps(content).encode())


def _key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, form, serialization.NoEncryption()).decode()
