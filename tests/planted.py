"""Credentials that are planted wherever a machine may have some, to be looked for afterwards."""

import base64
import json
from pathlib import Path
from typing import Final

SECRET: Final = "pl4nted-2f9c1e"
"""In each of them, and nowhere else."""
IN_ADDRESS: Final = f"http://somebody:{SECRET}@mirror.invalid/data/"
SIGNED: Final = f"http://mirror.invalid/data/?X-Goog-Signature={SECRET}"
PROXY: Final = f"http://somebody:{SECRET}@127.0.0.1:9"
ENVIRONMENT: Final = {
    **dict.fromkeys(
        ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "GITHUB_TOKEN", "KAGGLE_KEY"),
        SECRET,
    ),
    "HTTP_PROXY": PROXY,
    "HTTPS_PROXY": PROXY,
    "NO_PROXY": "127.0.0.1,localhost",
}
_SHIFTED: Final = (base64.b64encode(b"x" * n + SECRET.encode())[4:-4] for n in range(3))
_FORMS: Final = (SECRET.encode(), *_SHIFTED)
"""As it is, and as a part of base64."""


def service_account(path: Path) -> Path:
    key = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"
    content = {
        "type": "service_account",
        "client_email": "robot@my-project.iam.gserviceaccount.com",
        "private_key": key,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    path.write_text(json.dumps(content))
    return path


def told(content: str | bytes) -> bool:
    """Whether a text holds one of them."""
    data = content.encode() if isinstance(content, str) else content
    return any(form in data for form in _FORMS)


def files_that_tell(*folders: Path) -> list[Path]:
    """The files below the folders that hold one of them, or have it in their name."""
    return [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if told(str(path)) or (path.is_file() and told(path.read_bytes()))
    ]
