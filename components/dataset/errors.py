"""The errors a person can act on: what was wrong, where, and what to do."""


class StepError(Exception):
    """A failure that the step foresaw.

    Its text is one or two sentences for the person who runs the pipeline: what was wrong, where,
    and what to do about it.
    """


class DataError(StepError):
    """Data that is damaged, truncated, or something else entirely."""


class SourceError(StepError):
    """A source that cannot be reached or used."""


class BucketError(StepError):
    """A bucket or an object that is missing, or that may not be read or written."""


class ParameterError(StepError):
    """A parameter whose value cannot be used with this data."""


class DiskError(StepError):
    """A disk that is full."""
