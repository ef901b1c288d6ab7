"""What this machine computes on: whether there is a GPU, and a description for the page of a run."""

import os
from pathlib import Path

from automl.models.quiet_tensorflow import import_tensorflow
from automl.text.messages import search as search_messages

_GPU_DEVICES = ("dev/nvidia[0-9]*", "proc/driver/nvidia/version", "dev/dxg", "dev/kfd")
"""What the drivers of NVIDIA, of Windows' Linux and of AMD leave; without one of them TensorFlow need not be asked."""


def has_gpu(root: Path = Path("/")) -> bool:
    """Whether TensorFlow sees a GPU. Where there is no driver, TensorFlow is not even imported.

    root: of the file system in which drivers are looked for.
    """
    if not any(True for pattern in _GPU_DEVICES for _ in root.glob(pattern)):
        return False
    import_tensorflow()
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def device_in_words() -> str:
    """ "NVIDIA H200 (GPU)" where TensorFlow sees one, else "CPU, 8 cores": those that this process may use."""
    if has_gpu():
        import tensorflow as tf

        details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
        return search_messages.ON_GPU.format(name=details.get("device_name", "unknown"))
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return search_messages.ON_CPU.format(n=n_cores)
