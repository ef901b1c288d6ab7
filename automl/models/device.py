"""What this machine computes on: whether there is a GPU, and a description for the page of a run."""

import os
from pathlib import Path

from automl.models.cards import VISIBLE_DEVICES
from automl.models.quiet_tensorflow import import_tensorflow
from automl.processors import n_processors
from automl.text.messages import search as search_messages

_GPU_DEVICES = ("dev/nvidia[0-9]*", "proc/driver/nvidia/version", "dev/dxg", "dev/kfd")
"""What the drivers of NVIDIA, of Windows' Linux and of AMD leave; without one of them TensorFlow need not be asked."""

_NO_CARDS = ("", "-1")


def has_gpu(root: Path = Path("/")) -> bool:
    """Whether TensorFlow sees a GPU. Where there is no driver, or no card for us, TensorFlow is not even imported.

    root: of the file system in which drivers are looked for.
    """
    if os.environ.get(VISIBLE_DEVICES) in _NO_CARDS:
        return False
    if not any(True for pattern in _GPU_DEVICES for _ in root.glob(pattern)):
        return False
    import_tensorflow()
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def gpu_name() -> str:
    """The name of the GPU that is computed on, as its maker gave it. There must be one."""
    import tensorflow as tf

    details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
    return str(details.get("device_name", "unknown"))


def tensorflow_version() -> str:
    """What may change how quick and how exact a device is."""
    import tensorflow as tf

    return str(tf.__version__)


def device_in_words() -> str:
    """ "NVIDIA H200 (GPU)" where TensorFlow sees one, else "CPU, 8 cores": those that this process may use."""
    if has_gpu():
        return search_messages.ON_GPU.format(name=gpu_name())
    return search_messages.ON_CPU.format(n=n_processors())
