"""What goes wrong with a request to Kubeflow Pipelines, each as a sentence that says what to do."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Self

from components.dataset.redaction import one_line
from pipeline.kubeflow import target as targets
from pipeline.kubeflow.sign_in import TOKEN
from pipeline.kubeflow.target import LOOPBACK, Target

SIGN_IN: Final = f"give --token-file or --cookie-file, or set {TOKEN}"
PORT_FORWARD: Final = "kubectl -n kubeflow port-forward svc/ml-pipeline-ui 8080:80"
PASSING: Final = (429, 500, 502, 503, 504)
"""The statuses that another request may not have."""
BY_WORDS: Final = {
    r"request is too large|larger than max|entity too large|Data too long|exceeds the limit": (
        "the pipeline is too large for the installation; send the file of compiled/ as it is, or "
        "fewer modules in a step"
    ),
    r"unknown field": (
        "the installation is older than what compiled the pipeline (kfp 2.17); update Kubeflow "
        "Pipelines there"
    ),
    r"HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS": (
        "it speaks TLS; give --host with https://"
    ),
    r"empty namespace|[nN]amespace cannot be empty|namespace is empty": (
        "it has several users; give your --namespace"
    ),
    r"belongs to namespace|namespace mismatch|does not belong": (
        "it is of another namespace; correct --namespace or --experiment"
    ),
    r"namespaces? \"[^\"]*\" not found": "there is no such namespace; correct --namespace",
    r"exceeded quota": "a quota of the namespace is used up; end other runs, or ask for more",
    r"RBAC: access denied": (
        f"its gateway lets in only who signed in; {SIGN_IN} (in a pod, a token with the audience "
        "pipelines.kubeflow.org)"
    ),
}
"""What to do, by what the service says."""
BY_STATUS: Final = {
    400: "it was refused",
    403: "you lack the rights there; correct --namespace, or ask its owner to add you",
    404: (
        "there is no Kubeflow Pipelines API of version 2 at this address; correct --host (behind "
        "Kubeflow's dashboard it ends with /pipeline), or update an installation before 2.0"
    ),
    409: "something of that name exists already, or was changed at the same time; run again",
    413: (
        "a proxy in front of it takes no request of this size; raise its limit, or go through "
        f"`{PORT_FORWARD}`"
    ),
    429: "it gets too many requests; run again later",
    500: "it failed; its log says why: `kubectl -n kubeflow logs deploy/ml-pipeline`",
    502: "it is not ready; run again in some minutes",
}
"""What to do, by the status of the answer."""


class Trouble(Exception):
    """Something that went wrong with a request.

    Attributes:
        cure: What to do.
        words: What the service said, on one line; empty without a word.
        status: Of the answer; 0 without one.
        passes: Whether another request may be answered.
        away: Whether nothing was reached, so that nothing was done.
    """

    def __init__(
        self,
        cure: str,
        words: str = "",
        status: int = 0,
        *,
        passes: bool = False,
        away: bool = False,
    ) -> None:
        super().__init__(cure)
        self.cure = cure
        self.words = words
        self.status = status
        self.passes = passes
        self.away = away

    @property
    def may_be_done(self) -> bool:
        """Whether the request may have been carried out nevertheless."""
        return not self.away and self.status in (0, 502, 504)

    @classmethod
    def foreign(cls) -> Self:
        """Another service answered."""
        return cls("what answers there is not Kubeflow Pipelines; correct --host")

    @classmethod
    def not_signed_in(cls, target: Target, words: str = "", *, page: bool = False) -> Self:
        """A refusal without valid credentials, or a ``page`` to sign in on instead of an answer."""
        cure = SIGN_IN
        if target.signed_in:
            cure = f"{target.signed_in} has expired, or is for something else; renew it"
        what = "a login page answered instead of the API" if page else "no valid credentials"
        return cls(f"{what}: {cure}", words, 401)


def explain(error: BaseException | None, doing: str, target: Target, missing: str = "") -> str:
    """The sentence for a trouble; ``missing``: what to say if a thing does not exist."""
    found = error if isinstance(error, Trouble) else Trouble(str(error))
    cure = found.cure
    if found.status == 404 and missing and found.words not in ("", "Not Found"):
        return f"could not {doing} ({target}): {missing}"
    return f"could not {doing} ({target}): {cure}" + (f" ({found.words})" * bool(found.words))


def trouble(error: Exception, target: Target) -> Trouble:
    """What an error of the client is about."""
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError

    if isinstance(error, ApiException) and error.status:
        found = _answered(error, target)
        # They may hold a cookie, and a traceback would print them.
        error.headers = error.body = None
        return found
    if isinstance(error, HTTPError):
        return _unanswered(getattr(error, "reason", None) or error, target)
    # The client fails on answers that are not JSON of its types.
    return Trouble.foreign()


def _answered(error: Any, target: Target) -> Trouble:
    words, status = _words(error.body), error.status
    scheme, _, place = target.host.partition("://")
    moved = str((error.headers or {}).get("Location", ""))
    if scheme == "http" and moved.startswith(f"https://{place}"):
        return Trouble("it speaks TLS; give --host with https://", status=status)
    if 300 <= status < 400 or (status in (401, 403) and _is_page(error.body)):
        return Trouble.not_signed_in(target, page=True)
    for pattern, cure in BY_WORDS.items():
        if re.search(pattern, words):
            return Trouble(cure, words, status)
    if status == 401:
        return Trouble.not_signed_in(target, words)
    usual = BY_STATUS[500 if status > 500 and status not in PASSING else 400]
    cure = BY_STATUS.get(502 if status in PASSING[2:] else status, usual)
    return Trouble(cure, words, status, passes=status in PASSING)


def _unanswered(error: BaseException, target: Target) -> Trouble:
    from urllib3 import exceptions

    kinds = {
        exceptions.SSLError: _tls(str(error)),
        exceptions.ProxyError: (
            "the proxy of the environment did not let it through; correct HTTPS_PROXY or NO_PROXY"
        ),
        exceptions.NameResolutionError: "its name could not be resolved; correct --host",
        exceptions.NewConnectionError: f"nothing answers there; {_nothing(target)}",
        exceptions.ConnectTimeoutError: (
            f"no connection within {targets.SECONDS} s; look at the network and --host"
        ),
    }
    for kind, cure in kinds.items():
        if isinstance(error, kind):
            return Trouble(cure, away=True)
    if isinstance(error, exceptions.TimeoutError):
        cure = f"no answer within {targets.SECONDS} s; look at the network and run again"
        return Trouble(cure, passes=True)
    return Trouble("the connection broke; look at the network and run again", passes=True)


def _nothing(target: Target) -> str:
    if LOOPBACK.match(target.host.partition("://")[2]):
        return f"is `{PORT_FORWARD}` running?"
    return "correct --host"


def _tls(text: str) -> str:
    if "VERIFY_FAILED" in text and "doesn't match" not in text and "mismatch" not in text:
        return (
            "its certificate is not trusted; give the certificate of its authority with --ca-cert"
        )
    if "match" in text:
        return "its certificate is for another name; give --host a name that is in it"
    if "WRONG_VERSION" in text or "record layer" in text.lower():
        return "it does not speak TLS; give --host with http://"
    return "no secure connection; correct --host or --ca-cert"


def _words(body: Any) -> str:
    """What the service says in the body of a refusal; empty for a page or nothing."""
    if _is_page(body):
        return ""
    try:
        content = json.loads(body or "")
    except ValueError:
        return one_line(body or "")
    said = content if isinstance(content, Mapping) else {}
    return one_line(said.get("message") or said.get("error") or "")


def _is_page(body: Any) -> bool:
    return "<html" in str(body or "")[:2000].lower()
