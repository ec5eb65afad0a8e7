"""The pipeline on Vertex AI: submit, follow, list, cancel, schedule.

Google's generated clients are used over REST, with messages that are made here: what is shown by
``--dry-run`` is what is sent. The SDK's ``PipelineJob.submit`` would make a missing bucket on its
own, hide what goes wrong there, and send parameters of a wrong type.
"""
