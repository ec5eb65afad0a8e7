"""A request to the loopback services, parsed strictly; routes, and what a network does wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import json_format

SYSTEM: Final = ("$alt", "alt")
"""Query parameters that are the protocol's and no message's."""


class Violation(Exception):
    """A request that the service's own message types do not know: the test must fail."""


@dataclass(frozen=True)
class Call:
    """A request that came in.

    Attributes:
        method: Name of what was called, as ``CreatePipelineJob``.
        path: The parts of its path that the route names.
        query: Values of each query parameter.
        body: The JSON that was sent; None without any.
        headers: Its headers, in lower case.
    """

    method: str
    path: dict[str, str]
    query: dict[str, list[str]]
    body: Any
    headers: dict[str, str]

    def message(self, kind: Any, body: str = "", **fields: str) -> Any:
        """The request as the message type ``kind`` of the service's own client library.

        Args:
            kind: A message type.
            body: The field that the body is; empty: the body has the message's fields.
            fields: Fields that the path holds.

        Raises:
            Violation: It holds a field or a type that the message does not have.
        """
        content: dict[str, Any] = dict(fields)
        if body:
            content[body] = self.body
        elif self.body:
            content |= self.body
        for name, values in self.query.items():
            if name not in SYSTEM:
                content[name] = values[0]
        message = kind()
        try:
            json_format.ParseDict(content, type(message).pb(message))
        except json_format.ParseError as error:
            raise Violation(f"{self.method}: {error}") from error
        return message

    def only(self, *names: str) -> dict[str, list[str]]:
        """The query, when it has no other parameters than ``names``.

        Raises:
            Violation: It has others.
        """
        if unknown := set(self.query) - {*names, *SYSTEM}:
            raise Violation(f"{self.method}: unknown parameters {unknown}")
        return self.query


@dataclass
class Fault:
    """What happens to a request instead of an answer.

    Attributes:
        status: The HTTP status that is answered; 0: none, the connection breaks or stalls.
        reason: That of the ``ErrorInfo``, as ``SERVICE_DISABLED``; empty: there is none.
        stall: Seconds for which nothing is answered.
        after: Whether the request is carried out before it goes wrong.
        message: What the service says.
    """

    status: int = 0
    reason: str = ""
    stall: float = 0.0
    after: bool = False
    message: str = "it was refused.\nDetails: none"


Route = tuple[str, str, Callable[[Call], Any]]


@dataclass
class Wire:
    """A running server of several services.

    Attributes:
        url: Its address.
        routes: ``GET /path/(?P<name>…)``, the method's name and what answers it.
        calls: The requests that came in.
        violations: What was wrong with them; a test that ends with one has failed.
        faults: By method, what happens to the next requests.
        tokens: Tokens that are accepted; empty: no one is asked for any.
    """

    url: str
    routes: list[Route] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def fail(self, method: str, fault: Fault, times: int = 1) -> None:
        """Lets something happen to the next requests of ``method``."""
        self.faults.setdefault(method, []).extend([fault] * times)

    def named(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]
