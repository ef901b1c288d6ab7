"""What this machine computes on, in words for the page of a run."""

import os

from automl.models.features import has_gpu


def device_in_words() -> str:
    """ "NVIDIA H200 (GPU)" where TensorFlow sees one, else "CPU, 8 cores": those that this process may use."""
    if has_gpu():
        import tensorflow as tf

        details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
        return f"{details.get('device_name', 'unknown')} (GPU)"
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"CPU, {n_cores} core{'' if n_cores == 1 else 's'}"
