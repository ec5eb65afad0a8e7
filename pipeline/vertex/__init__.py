"""The pipeline on Vertex AI: submit, follow, schedule; deploy its models and ask them.

Requests are made here and sent with Google's generated clients over REST, so ``--dry-run`` prints
exactly what is sent. The SDK's ``PipelineJob.submit`` would create a missing bucket itself, hide
errors while doing so, and send parameters of a wrong type.
"""
