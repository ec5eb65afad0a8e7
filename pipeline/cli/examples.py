"""Examples at the end of each command's help: lines that work as they are."""

from typing import Final

from pipeline.program import command

EXAMPLES: Final[dict[str, dict[str, str]]] = {
    "run": {
        "run --preset fast": "a smaller network, in a minute or two",
        "run -p epochs=3 -p 'filters=[16, 32]'": "other hyperparameters",
        "run --no-cache": "every step again, whatever has run before",
        "run --json > run.json": "what came out, for a program",
    },
    "runs": {
        "runs": "the newest 20",
        "runs --count 1 --json": "the newest one, for a program",
    },
    "models": {
        "models": "all versions with their accuracy",
        "models --verify": "whether all of them are as recorded",
        "models --verify default": "the champion alone",
        "models --root elsewhere": "those of another root",
    },
    "report": {
        "report": "the page of the newest run, in the browser",
        "report ab12 --output report.html": "another run's page, to send to somebody",
    },
    "predict": {
        "predict boot.jpg shirt.png": "what the newest champion says of two photos",
        "predict --run last boot.jpg": "what the model of the newest training says",
        "predict --save seen boot.jpg": "also writes what the network saw to `seen/boot.png`",
        "predict --json - < boot.jpg": "from standard input, for a program",
    },
    "parameters": {
        "parameters": "all of them, with their defaults",
        "parameters --json": "the same with their types, for a program",
    },
    "compile": {
        "compile": "writes `compiled/` from the source",
        "compile --check": "exit code 1 and a short diff when it is stale",
        "compile --image IMAGE@sha256:0123 --output built": "steps that install nothing",
    },
    "submit": {
        "submit --bucket BUCKET --dry-run": "what would be sent; nothing is",
        "submit --bucket BUCKET --create-bucket --wait": "the first job, followed to its end",
        "submit --bucket BUCKET --accelerator NVIDIA_L4 --machine-type g2-standard-8 --spot": (
            "the training on another machine"
        ),
        "submit --bucket BUCKET --schedule '0 6 * * 1' --time-zone Europe/Berlin": (
            "each Monday at six"
        ),
    },
    "watch": {
        "watch fashion-mnist-20261123-153000-ab12": "its steps until it ends",
        "watch fashion-mnist-20261123-153000-ab12 --json": "its end, for a program",
    },
    "jobs": {
        "jobs": "the newest 20",
        "jobs --count 5 --json": "the newest five, for a program",
    },
    "cancel": {
        "cancel fashion-mnist-20261123-153000-ab12": "stops what runs of it",
        "cancel fashion-mnist-20261123-153000-ab12 --json": "the same, and the job for a program",
    },
    "schedules": {
        "schedules list": "all of them, with their numbers",
        "schedules pause 4711": "no more jobs, until `schedules resume 4711`",
        "schedules delete 4711 --json": "its end, for a program",
    },
}
"""Arguments and what they do, by command."""


def examples(name: str) -> str:
    """The examples of a command as the end of its help, in Markdown."""
    lines = [f"- `{command(given)}`: {does}" for given, does in EXAMPLES[name].items()]
    return "\n\n".join(("**Examples**", *lines))
