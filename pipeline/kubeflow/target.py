"""Where a Kubeflow Pipelines installation is, and its client."""

import dataclasses
import functools
import os
import re
import shlex
import urllib.parse
import warnings
from pathlib import Path
from typing import Any, Final

from components.dataset.redaction import one_line
from pipeline.errors import CloudError, UsageError
from pipeline.kubeflow import sign_in
from pipeline.specs import forms

ENDPOINT: Final = "KF_PIPELINES_ENDPOINT"
UI_ENDPOINT: Final = "KF_PIPELINES_UI_ENDPOINT"
IN_CLUSTER: Final = "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
LOOPBACK: Final = re.compile(r"(localhost|127(\.\d+){3}|0\.0\.0\.0|\[?::1\]?)")
SECONDS: Final = 30
"""How long one answer may take."""
RETRY_SECONDS: Final = 40.0
"""How long a request that failed in passing is repeated."""
NAME: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
"""A namespace of Kubernetes."""


@dataclasses.dataclass(frozen=True)
class Target:
    """An installation and a namespace of it.

    Attributes:
        host: Its address, without a slash at the end.
        namespace: As it was given; empty: not given.
        token: The token itself; it is in no text about the target.
        token_file: A file with a token, read again for each request.
        cookie: As ``NAME=VALUE``.
        signed_in: Where token or cookie is from; empty without one.
        ca_cert: The certificates to trust; None: the usual ones.
        options: What else a command needs to reach it, as options.
    """

    host: str
    namespace: str = ""
    token: str = dataclasses.field(default="", repr=False)
    token_file: Path | None = None
    cookie: str = dataclasses.field(default="", repr=False)
    signed_in: str = ""
    ca_cert: Path | None = None
    options: str = ""

    @property
    def flags(self) -> str:
        """The target as options of a command."""
        return f"--host {shlex.quote(self.host)}{self.options}"

    def __str__(self) -> str:
        return f"{self.host}, namespace {self.namespace}" if self.namespace else self.host

    @functools.cached_property
    def client(self) -> Any:
        """A ``kfp.Client`` whose requests are neither repeated nor redirected by themselves."""
        import urllib3
        from kfp.client import ServiceAccountTokenVolumeCredentials

        file = self.token_file
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = _client_class()(
                    host=self.host,
                    existing_token=self.token or None,
                    credentials=ServiceAccountTokenVolumeCredentials(str(file)) if file else None,
                    cookies=self.cookie or None,
                    ssl_ca_cert=str(self.ca_cert) if self.ca_cert else None,
                    proxy=_proxy(self.host),
                )
        except Exception as error:
            raise CloudError(
                f"kfp's client does not start ({one_line(error)}); look at the environment's "
                f"KF_PIPELINES_IAP_OAUTH2_CLIENT_ID and at {_client_class()._LOCAL_KFP_CONTEXT}"
            ) from error
        pool = made._run_api.api_client.rest_client.pool_manager
        pool.connection_pool_kw["retries"] = urllib3.Retry(0, raise_on_redirect=False)
        return made


def resolve(
    host: str | None,
    namespace: str | None = None,
    token_file: Path | None = None,
    cookie_file: Path | None = None,
    ca_cert: Path | None = None,
    *,
    of_page: str = "",
) -> Target:
    """The target that options and the environment name; None: not given.

    Without them it is that of a page, or in a pod of a cluster the installation there.

    Raises:
        UsageError: There is no host, or something cannot be used.
    """
    in_pod = bool(os.environ.get("KUBERNETES_SERVICE_HOST"))
    usual = os.environ.get(ENDPOINT, "") or IN_CLUSTER * in_pod
    if host is None and of_page:
        _check_page(of_page, usual)
    address = host if host is not None else usual or of_page
    if not address:
        raise UsageError(
            f"no host is set: give --host, or set {ENDPOINT}; without an address run `kubectl -n "
            "kubeflow port-forward svc/ml-pipeline-ui 8080:80`, and give --host "
            "http://localhost:8080"
        )
    forms.check({"namespace": namespace}, {"namespace": (NAME, "the name of a namespace")})
    options = {"namespace": namespace, "token-file": token_file, "cookie-file": cookie_file}
    given = {**options, "ca-cert": ca_cert}
    if ca_cert and not ca_cert.is_file():
        raise UsageError(f"--ca-cert {ca_cert}: there is no such file")
    token, file, origin = sign_in.token(token_file, in_pod=address == IN_CLUSTER)
    cookie, cookie_origin = sign_in.cookie(cookie_file)
    return Target(
        host=_address(address),
        namespace=namespace or "",
        token=token,
        token_file=file,
        cookie=cookie,
        signed_in=origin or cookie_origin,
        ca_cert=ca_cert,
        options="".join(
            f" --{name} {shlex.quote(str(value))}" for name, value in given.items() if value
        ),
    )


def page(target: Target, kind: str, identity: str) -> str:
    """The address of a page about one of ``runs`` or ``recurringrun``."""
    return f"{_ui(target.host).rstrip('/')}/#/{kind}/details/{identity}"


def _check_page(address: str, usual: str) -> None:
    """Refuses a page elsewhere than at the usual address, if it would get credentials for that."""
    if not usual and not any(map(os.environ.get, sign_in.VARIABLES)):
        return
    known = {urllib.parse.urlsplit(_address(one)).netloc for one in (usual, _ui(usual)) if one}
    place = urllib.parse.urlsplit(address).netloc
    if place not in known:
        raise UsageError(
            f"this page is at {place}, and {ENDPOINT} is {usual or 'not set'}: give --host too, if "
            "your token or cookie is for it"
        )


def _ui(host: str) -> str:
    return os.environ.get(UI_ENDPOINT) or host


def _address(text: str) -> str:
    """An address as the client takes it; also that of any page of the installation."""
    if "://" not in text:
        scheme = "http" if LOOPBACK.match(text) else "https"
        text = f"{scheme}://{text}"
    try:
        url = urllib.parse.urlsplit(text)
        sound = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise UsageError(f"--host {text}: give an address, as in https://kubeflow.example.com")
    if url.username or url.password:
        raise UsageError("--host: leave out user and password; give --token-file or --cookie-file")
    # Kubeflow's dashboard shows the pages of /pipeline in a frame, as /_/pipeline.
    return f"{url.scheme}://{url.netloc}{url.path.removeprefix('/_')}".rstrip("/")


def _proxy(host: str) -> str | None:
    """The proxy of the environment for a host; the client looks for none by itself."""
    from requests.utils import get_environ_proxies, select_proxy

    if LOOPBACK.fullmatch(urllib.parse.urlsplit(host).hostname or ""):
        return None
    found: str | None = select_proxy(host, get_environ_proxies(host))
    return found


def _client_class() -> Any:
    import kfp.client
    import kfp_server_api

    class Client(kfp.client.Client):  # type: ignore[misc]
        def get_kfp_healthz(self, sleep_duration: int = 5) -> Any:
            # Without a namespace, it would ask five times, and log each failure.
            del sleep_duration
            return kfp_server_api.V2beta1GetHealthzResponse(multi_user=False)

    return Client
