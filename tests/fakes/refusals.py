"""What Google's services answer with when they refuse, as their errors have been published."""

from typing import Any, Final

from tests.fakes.wire import Fault

KEY: Final = "projects/keys/locations/eu/keyRings/ring/cryptoKeys/key"
UID: Final = "eYhDkfYCu-dOCjuj8X4Am9_spkxs0"


def typed(
    status: int, reason: str, message: str, domain: str = "googleapis.com", **metadata: str
) -> Fault:
    """An error with an ErrorInfo, as most services send."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    info = {"@type": kind, "reason": reason, "domain": domain, "metadata": metadata}
    links = {"@type": "type.googleapis.com/google.rpc.Help", "links": []}
    body = {"code": status, "message": message, "details": [links, info]}
    return Fault(status, message=message, body=body)


def plain(status: int, reason: str, message: str, domain: str = "global") -> Fault:
    """An error of Cloud Storage's JSON API."""
    one = {"message": message, "domain": domain, "reason": reason}
    body: dict[str, Any] = {"code": status, "message": message, "errors": [one]}
    return Fault(status, message=message, body=body)


SERVICE_DISABLED: Final = typed(
    403,
    "SERVICE_DISABLED",
    "Vertex AI API has not been used in project 720070608347 before or it is disabled. Enable it "
    "by visiting https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview"
    "?project=720070608347 then retry. If you enabled this API recently, wait a few minutes for "
    "the action to propagate to our systems and retry.",
    service="aiplatform.googleapis.com",
    consumer="projects/720070608347",
)
SERVICE_USAGE_DISABLED: Final = typed(
    403,
    "SERVICE_DISABLED",
    "Service Usage API has not been used in project 720070608347 before or it is disabled.",
    service="serviceusage.googleapis.com",
    consumer="projects/720070608347",
)
USER_PROJECT_DENIED: Final = typed(
    403,
    "USER_PROJECT_DENIED",
    "Caller does not have required permission to use project quota-1. Grant the caller the "
    "roles/serviceusage.serviceUsageConsumer role, or a custom role with the "
    "serviceusage.services.use permission, by visiting https://console.developers.google.com/"
    "iam-admin/iam/project?project=quota-1 and then retry.",
    service="aiplatform.googleapis.com",
    consumer="projects/quota-1",
)
CONSUMER_INVALID: Final = typed(
    403,
    "CONSUMER_INVALID",
    "Permission denied on resource project my-project.",
    service="aiplatform.googleapis.com",
    consumer="projects/my-project",
)
BILLING_DISABLED: Final = typed(
    403,
    "BILLING_DISABLED",
    "This API method requires billing to be enabled. Please enable billing on project "
    "#1051023892108 by visiting https://console.developers.google.com/billing/enable?project="
    "1051023892108 then retry.",
    service="aiplatform.googleapis.com",
    consumer="projects/1051023892108",
)
IAM_PERMISSION_DENIED: Final = typed(
    403,
    "IAM_PERMISSION_DENIED",
    "Permission 'aiplatform.pipelineJobs.create' denied on resource "
    "'//aiplatform.googleapis.com/projects/my-project/locations/europe-west4' (or it may not "
    "exist).",
    domain="aiplatform.googleapis.com",
    permission="aiplatform.pipelineJobs.create",
    resource="projects/my-project/locations/europe-west4",
)
UNKNOWN_PERMISSION: Final = typed(
    403,
    "IAM_PERMISSION_DENIED",
    "Permission 'compute.networks.use' denied on resource 'net' (or it may not exist).",
    domain="compute.googleapis.com",
    permission="compute.networks.use",
)
NO_REASON: Final = Fault(403, message="The caller does not have permission")
UNKNOWN_REASON: Final = typed(403, "LOCATION_POLICY_VIOLATED", "Not from here.")
SECURITY_POLICY: Final = typed(
    403,
    "SECURITY_POLICY_VIOLATED",
    f"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: {UID}",
    service="aiplatform.googleapis.com",
    uid=UID,
    consumer="projects/my-project",
)
SCOPES: Final = typed(
    403,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "Request had insufficient authentication scopes.",
    service="aiplatform.googleapis.com",
    method="google.cloud.aiplatform.v1.PipelineService.ListPipelineJobs",
)
RATE_LIMIT: Final = typed(
    429,
    "RATE_LIMIT_EXCEEDED",
    "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service "
    "'aiplatform.googleapis.com' for consumer 'project_number:720070608347'.",
    quota_metric="aiplatform.googleapis.com/requests",
    consumer="projects/720070608347",
)
TOKEN_EXPIRED: Final = typed(
    401,
    "ACCESS_TOKEN_EXPIRED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential.",
    service="aiplatform.googleapis.com",
)
ACT_AS: Final = Fault(
    400,
    message="You do not have permission to act as service_account: "
    "720070608347-compute@developer.gserviceaccount.com. (or it may not exist).",
)
LOCATIONS: Final = Fault(
    400,
    message="'projects/my-project/locations/europe-west4' violates constraint "
    "'constraints/gcp.resourceLocations' on the resource 'projects/my-project'.",
)
RETENTION: Final = plain(
    403,
    "retentionPolicyNotMet",
    "Object 'bucket/home/object' is subject to bucket's retention policy or object retention and "
    "cannot be deleted or overwritten until 2026-12-30T15:58:01.185839-07:00",
)
HOLD: Final = plain(
    403,
    "forbidden",
    "Object 'bucket/home/object' is under active Event-Based hold and cannot be deleted, "
    "overwritten or archived until hold is removed.",
)
ACCOUNT_DISABLED: Final = plain(
    403,
    "accountDisabled",
    "The billing account for the owning project is disabled in state closed",
)
KMS_DENIED: Final = plain(
    403,
    "forbidden",
    "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has "
    "been authorized to use this key.",
)
KMS_DISABLED: Final = plain(
    400,
    "cloudKmsDisabledKey",
    f"{KEY}/cryptoKeyVersions/1 is not enabled, current state is: DISABLED.",
)
VPC: Final = plain(
    403,
    "vpcServiceControls",
    f"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: {UID}",
)
REQUESTER_PAYS: Final = plain(
    400, "required", "Bucket is a requester pays bucket but no user project provided."
)
RATE_OF_OBJECT: Final = plain(
    429,
    "rateLimitExceeded",
    "The object bucket/home/object exceeded the rate limit for object mutation operations "
    "(create, update, and delete). Please reduce your request rate. See "
    "https://cloud.google.com/storage/docs/gcs429.",
    domain="usageLimits",
)
NO_ACCESS: Final = plain(
    403,
    "forbidden",
    "robot@my-project.iam.gserviceaccount.com does not have storage.objects.create access to the "
    "Google Cloud Storage object. Permission 'storage.objects.create' denied on resource (or it "
    "may not exist).",
)
NO_QUOTA_PROJECT: Final = plain(
    403,
    "forbidden",
    "robot@my-project.iam.gserviceaccount.com does not have serviceusage.services.use access to "
    "the Google Cloud project. Permission 'serviceusage.services.use' denied on resource (or it "
    "may not exist).",
)
BLOCKED: Final = plain(403, "countryBlocked", "Not in this country.")
INVALID: Final = plain(401, "authError", "Invalid Credentials")
TAKEN: Final = plain(
    409,
    "conflict",
    "The requested bucket name is not available. The bucket namespace is shared by all users of "
    "the system. Please select a different name and try again.",
)
DOMAIN: Final = plain(
    403, "forbidden", "The bucket you tried to create is a domain name owned by another user."
)
UNVERIFIED: Final = plain(
    403, "forbidden", "The bucket you tried to create requires domain ownership verification."
)
NO_LOCATION: Final = plain(
    412, "conditionNotMet", "'europe-west4' violates constraint 'constraints/gcp.resourceLocations'"
)
NO_UNIFORM: Final = plain(
    412,
    "conditionNotMet",
    "Request violates constraint 'constraints/storage.uniformBucketLevelAccess'",
)
