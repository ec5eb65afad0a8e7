"""The pipeline on a Kubeflow Pipelines installation: submit, follow, schedule.

Requests are made here and sent with ``kfp.Client``'s generated API, so ``--dry-run`` prints exactly
what is sent. The client's own methods print links, wait without a limit, and take a login page for
an answer.
"""
