"""What Vertex AI's ScheduleService does, as far as the commands need it."""

import copy
from dataclasses import dataclass, field
from typing import Any

from google.cloud import aiplatform_v1 as vertex

from tests.fakes.model_service import PARENT, Refusal
from tests.fakes.pipeline_service import check, now
from tests.fakes.wire import Call, Route


@dataclass
class ScheduleService:
    """The schedules of one project and one location.

    Attributes:
        schedules: By number.
        created: The requests for a schedule that were accepted.
        operations: The deletions that go on, by name, with how often each is still looked at.
    """

    schedules: dict[str, Any] = field(default_factory=dict)
    created: list[Any] = field(default_factory=list)
    operations: dict[str, int] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """What it answers."""
        all_of_them = f"/v1/{PARENT}/schedules"
        one = rf"{all_of_them}/(?P<schedule>\d+)"
        return [
            (rf"POST {all_of_them}", "CreateSchedule", self.create),
            (rf"GET {all_of_them}", "ListSchedules", self.list_schedules),
            (rf"POST {one}:pause", "PauseSchedule", self.pause),
            (rf"POST {one}:resume", "ResumeSchedule", self.resume),
            (rf"DELETE {one}", "DeleteSchedule", self.delete),
            (
                rf"GET /(?:v1|ui)/{PARENT}/schedules/\d+/operations/(?P<operation>\d+)",
                "GetOperation",
                self.operation,
            ),
        ]

    def create(self, call: Call) -> Any:
        request = call.message(vertex.CreateScheduleRequest, "schedule", parent=PARENT)
        schedule = vertex.Schedule(request.schedule)
        if not schedule.cron or not schedule.display_name:
            raise Refusal(400, "A schedule needs a name and a time.")
        if schedule.max_concurrent_run_count < 1:
            raise Refusal(400, "max_concurrent_run_count must be positive.")
        if schedule.create_pipeline_job_request.parent != PARENT:
            raise Refusal(400, "The job's parent is not that of the schedule.")
        check(schedule.create_pipeline_job_request)
        number = str(4711 + len(self.created))
        schedule.name = f"{PARENT}/schedules/{number}"
        schedule.state = vertex.Schedule.State.ACTIVE
        schedule.create_time = schedule.next_run_time = now()
        self.created.append(request)
        self.schedules[number] = schedule
        return schedule

    def list_schedules(self, call: Call) -> Any:
        call.message(vertex.ListSchedulesRequest, parent=PARENT)
        found = list(reversed(self.schedules.values()))
        return vertex.ListSchedulesResponse(schedules=copy.deepcopy(found))

    def pause(self, call: Call) -> dict[str, Any]:
        return self._become(call, vertex.PauseScheduleRequest, "PAUSED")

    def resume(self, call: Call) -> dict[str, Any]:
        return self._become(call, vertex.ResumeScheduleRequest, "ACTIVE")

    def delete(self, call: Call) -> dict[str, Any]:
        schedule = self._schedule(call)
        call.message(vertex.DeleteScheduleRequest, name=schedule.name)
        del self.schedules[call.path["schedule"]]
        number = str(len(self.operations) + 1)
        self.operations[number] = 1
        return {"name": f"{schedule.name}/operations/{number}"}

    def operation(self, call: Call) -> dict[str, Any]:
        number = call.path["operation"]
        name = f"{PARENT}/schedules/1/operations/{number}"
        self.operations[number] -= 1
        if self.operations[number] > 0:
            return {"name": name}
        empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        return {"name": name, "done": True, "response": empty}

    def _become(self, call: Call, kind: Any, state: str) -> dict[str, Any]:
        schedule = self._schedule(call)
        call.message(kind, name=schedule.name)
        schedule.state = vertex.Schedule.State[state]
        return {}

    def _schedule(self, call: Call) -> Any:
        if call.path["schedule"] not in self.schedules:
            raise Refusal(404, f"Schedule {call.path['schedule']} not found.")
        return self.schedules[call.path["schedule"]]
