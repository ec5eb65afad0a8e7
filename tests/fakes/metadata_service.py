"""What Vertex AI's MetadataService does, as far as an experiment needs it."""

from dataclasses import dataclass, field
from typing import Any

from google.cloud import aiplatform_v1 as vertex

from tests.fakes.model_service import PARENT, Refusal
from tests.fakes.wire import Call, Route

STORE = f"{PARENT}/metadataStores/default"


@dataclass
class MetadataService:
    """The default store of one project and one location.

    Attributes:
        contexts: By id.
        children: Names of the contexts that were put under each, by its id.
    """

    contexts: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """What it answers."""
        one = rf"/v1/{STORE}/contexts/(?P<context>[^/:]+)"
        return [
            (rf"GET /v1/{STORE}", "GetMetadataStore", self.store),
            (rf"POST /v1/{STORE}/contexts", "CreateContext", self.create),
            (rf"GET {one}", "GetContext", self.get),
            (rf"POST {one}:addContextChildren", "AddContextChildren", self.add_children),
        ]

    def store(self, _call: Call) -> Any:
        return vertex.MetadataStore(name=STORE)

    def create(self, call: Call) -> Any:
        request = call.message(vertex.CreateContextRequest, "context", parent=STORE)
        context = vertex.Context(request.context)
        context.name = f"{STORE}/contexts/{request.context_id}"
        self.contexts[request.context_id] = context
        return context

    def get(self, call: Call) -> Any:
        if call.path["context"] not in self.contexts:
            raise Refusal(404, f"Context {call.path['context']} not found.")
        return self.contexts[call.path["context"]]

    def add_children(self, call: Call) -> dict[str, Any]:
        name = f"{STORE}/contexts/{call.path['context']}"
        request = call.message(vertex.AddContextChildrenRequest, context=name)
        self.children.setdefault(call.path["context"], []).extend(request.child_contexts)
        return {}
