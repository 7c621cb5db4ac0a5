"""A training on several processes, one rank each: what is done together, and what JAX and Keras need for it.

Each rank holds all weights and computes on its part of every batch. Keras' `DataParallel` makes the parts one batch:
gradients, the statistics of batch normalization, random numbers and mixup are those of the whole batch, and all ranks
take the same step. In a training by one process, on any backend, every function here does nothing, or what is plain.
"""

import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import ceil
from typing import Any

import keras
import numpy as np

from emotion.core.errors import InputError, first_line
from emotion.core.quiet import quiet
from emotion.model_files import keras_setup
from emotion.model_files.probabilities import ProbabilityModel
from emotion.parallel.ranks import GO_ON, LostRankError, Rank, check_free, split_address

PATIENCE = 600
"""Seconds that rank 0 waits for the others."""

LOST_RANK = re.compile("gloo|coordination|distributed (service|runtime)|preempt|heartbeat", re.IGNORECASE)
"""Words of JAX' errors where another process has ended. They have no type of their own."""


def connect(rank: Rank) -> None:
    """Make this process a rank of a training; return when all ranks have come.

    Call this before the first tensor or variable is made, since those made before are not shared.

    Where ranks are missing after PATIENCE, JAX ends the process with a message.

    Raises:
        InputError: rank 0 cannot listen at the coordinator's address, or this rank cannot reach it.
    """
    import jax

    if rank.number == 0:
        check_free(rank.coordinator)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_enable_preemption_service", False)  # it would catch SIGTERM, and go on
    _listen_at(_own_address(rank.coordinator))
    try:
        _initialize(rank)  # not quiet: where ranks are missing, JAX names them and ends the process
        with quiet(stdout=True):
            keras_setup.accelerator()  # starts JAX
    except Exception as error:
        raise InputError(
            f"rank {rank.number} cannot connect to the other ranks at {rank.coordinator} ({first_line(error)}); see "
            f"that {rank.processes} ranks run (train.processes), and that the address is one of rank 0 and free"
        ) from None
    _assign_without_comparing()
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


def _initialize(rank: Rank) -> None:
    import jax

    logging.getLogger("jax._src.distributed").setLevel(logging.ERROR)  # it warns of the variable that keeps proxies out
    jax.distributed.initialize(
        rank.coordinator,
        rank.processes,
        rank.number,
        cluster_detection_method="deactivate",
        coordinator_bind_address=rank.coordinator,  # else all of the machine's
        initialization_timeout=PATIENCE,
    )


def _own_address(coordinator: str) -> str:
    """Return the address of this machine from which it reaches the coordinator."""
    family, kind, _, _, address = socket.getaddrinfo(*split_address(coordinator), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as connection:
        connection.connect(address)  # sends nothing
        return str(connection.getsockname()[0])


def _listen_at(address: str) -> None:
    """Have the ranks exchange numbers at `address`.

    Without it gloo takes what the machine's own name stands for. On many systems that is 127.0.1.1, which no other
    machine reaches. JAX has no setting for this.
    """
    from jaxlib import _jax

    _jax.make_gloo_tcp_collectives = partial(_jax.make_gloo_tcp_collectives, hostname=address)


def _assign_without_comparing() -> None:
    """Let Keras give a variable its value without a comparison of the ranks' values, which `jax.device_put` makes.

    That would send every array, all training images among them, to all ranks, and refuse weights that are NaN.
    """
    import jax
    from keras.src.backend.jax import distribution_lib

    distribute = distribution_lib.distribute_tensor

    def distribute_tensor(tensor: Any, layout: Any) -> Any:
        sharding = getattr(layout, "backend_layout", layout)
        is_local = isinstance(tensor, np.ndarray) or (
            isinstance(tensor, jax.Array) and not isinstance(tensor, jax.core.Tracer) and tensor.is_fully_addressable
        )
        if not is_local or not sharding.is_fully_replicated:
            return distribute(tensor, layout)
        return jax.make_array_from_process_local_data(sharding, np.asarray(tensor), tensor.shape)

    distribution_lib.distribute_tensor = distribute_tensor


def processes() -> int:
    """Return the number of processes that train together."""
    if keras.distribution.distribution() is None:
        return 1
    import jax

    return int(jax.process_count())


def number() -> int:
    """Return the number of this rank; the first one is 0."""
    if processes() == 1:
        return 0
    import jax

    return int(jax.process_index())


def is_first() -> bool:
    """Return whether this process is to write, and to show how the training goes."""
    return number() == 0


def own_part(rows: slice) -> slice:
    """Return the part of `rows` that this rank computes; their number must divide by that of the ranks."""
    length = (rows.stop - rows.start) // processes()
    start = rows.start + number() * length
    return slice(start, start + length)


def is_shared(batch: Any) -> bool:
    """Return whether ranks hold a part each of `batch`, a tensor in a step; Keras tries other sizes beforehand."""
    size = batch.shape[0]
    return processes() > 1 and size is not None and size % processes() == 0


def on_own_part(function: Callable[..., Any], batch: Any, *weights: Any, joined: int = 0) -> Any:
    """Return what `function` makes of a shared batch, called by each rank with its own part.

    Args:
        function: takes a part of the batch, and the weights.
        batch: tensor that `is_shared`.
        weights: tensors or variables that all ranks have.
        joined: how many of the results, the last ones, are the same on all ranks; the others are parts of a batch.
    """
    import jax
    from jax.sharding import PartitionSpec

    data_parallel = keras.distribution.distribution()
    part, same = PartitionSpec(data_parallel.batch_dim_name), PartitionSpec()
    shared = jax.shard_map(
        function,
        mesh=data_parallel.device_mesh.backend_mesh,
        in_specs=(part, *[same] * len(weights)),
        out_specs=(part, *[same] * joined) if joined else part,
    )
    return shared(batch, *map(keras.ops.convert_to_tensor, weights))


def sum_gradients_of(weight: Any) -> Any:
    """Return `weight`, within `on_own_part`; ranks sum its gradients, once and in its shape.

    Without it they sum those of the first value that depends on their parts, which may have a larger shape.
    """
    import jax

    return jax.lax.pcast(weight, _axis(), to="varying")


def sum_in_step(value: Any) -> Any:
    """Return the sum of the values that the ranks have, within `on_own_part`."""
    import jax

    return jax.lax.psum(value, _axis())


def gather_in_step(value: Any) -> Any:
    """Return the values that the ranks have, (ranks, ...), within `on_own_part`."""
    import jax

    own = jax.nn.one_hot(jax.lax.axis_index(_axis()), processes(), dtype=value.dtype)
    return sum_in_step(keras.ops.tensordot(own, value, axes=0))


def _axis() -> str:
    """Return the name that JAX knows the ranks by."""
    return str(keras.distribution.distribution().batch_dim_name)


def check_same(parts: dict[str, bytes]) -> None:
    """Raise InputError where ranks do not train on the same; the message names them and what differs.

    Args:
        parts: digests of 16 bytes, by what they are digests of.
    """
    if processes() == 1:
        return
    with quiet(stdout=True):  # gloo says that it is connected
        digests = gather(np.array([list(digest) for digest in parts.values()], np.uint8)[None])
    for other in range(1, processes()):
        differing = (digests[other] != digests[0]).any(axis=1)
        names = [name for name, differs in zip(parts, differing, strict=True) if differs]
        if names:
            raise InputError(
                f"rank {other} has other {' and '.join(names)} than rank 0; give all ranks the same clone of this "
                "project, with the same params.yaml, data and packages"
            )


def gather(rows: np.ndarray) -> np.ndarray:
    """Return the rows of all ranks one after the other; each has as many."""
    if processes() == 1:
        return rows
    from jax.experimental import multihost_utils

    gathered: np.ndarray = multihost_utils.process_allgather(rows, tiled=True)
    return gathered


def send_from_first(content: bytes) -> bytes:
    """Return the `content` that the first rank has."""
    if processes() == 1:
        return content
    from jax.experimental import multihost_utils

    length = int(multihost_utils.broadcast_one_to_all(np.int32(len(content))))
    buffer = np.zeros(length, np.uint8)
    if is_first():
        buffer[:] = np.frombuffer(content, np.uint8)
    return bytes(np.asarray(multihost_utils.broadcast_one_to_all(buffer), np.uint8))


def wait_for_all() -> None:
    """Return when all ranks have come here."""
    gather(np.zeros((1, 1), np.uint8))


@contextmanager
def naming_lost_ranks() -> Iterator[None]:
    """Raise LostRankError in place of what JAX raises in the block where another rank has ended."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if processes() > 1 and LOST_RANK.search(str(error)):
            raise LostRankError(f"another rank of this training has ended ({first_line(error)}). {GO_ON}") from None
        raise


def share_predictions(network: keras.Model) -> ProbabilityModel:
    """Return what predicts as `network` does; ranks predict a part of the images each, and all get all of them."""
    return network if processes() == 1 else _SharedNetwork(network)


class _SharedNetwork:
    """A network whose predictions ranks share."""

    def __init__(self, network: keras.Model) -> None:
        import jax

        self.network = network
        self._call = jax.jit(lambda values, batch: network.stateless_call(*values, batch, training=False)[0])

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int) -> np.ndarray:
        """Return the probabilities for images (n, height, width, channels), as `keras.Model.predict` does."""
        steps = ceil(len(x) / (batch_size * processes()))
        size = ceil(len(x) / (steps * processes()))  # of steps that have one size, so that one is compiled
        numbers = np.minimum(np.arange(steps * size * processes()), len(x) - 1)
        own = x[numbers[own_part(slice(0, len(numbers)))]]
        return gather(self._predict_own(own, size))[: len(x)]

    def _predict_own(self, images: np.ndarray, size: int) -> np.ndarray:
        import jax

        values = [
            [variable.value for variable in variables]
            for variables in (self.network.trainable_variables, self.network.non_trainable_variables)
        ]
        layout = keras.distribution.distribution().get_data_layout(images.shape).backend_layout
        parts = (images[start : start + size] for start in range(0, len(images), size))
        batches = (jax.make_array_from_process_local_data(layout, part) for part in parts)
        return np.concatenate([self._call(values, batch).addressable_data(0) for batch in batches])
