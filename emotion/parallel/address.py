"""The address of the cluster that does the work, if one is named."""

import os

SCHEDULER = "EMOTION_SCHEDULER"
"""The environment variable with the address. It is no param, since it does not change results."""

DASK_CONFIGURATION = "dask"
"""The address that stands for the one in Dask's own configuration."""


def scheduler_address() -> str | None:
    """Return the address of the scheduler as the user wrote it; None where this machine works alone."""
    return os.environ.get(SCHEDULER, "").strip() or None


def use_cluster(address: str | None) -> None:
    """Have this process and those that it starts use the scheduler at `address`; None leaves all as it is."""
    if address is not None:
        os.environ[SCHEDULER] = address
