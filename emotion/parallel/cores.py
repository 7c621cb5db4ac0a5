"""The number of available processor cores."""

import os


def available_cores() -> int:
    """Return the number of processor cores that this process may use. A container may have fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
