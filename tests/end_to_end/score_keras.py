"""Scores an unpacked bundle's `model.keras` with TensorFlow alone: `score_keras.py FOLDER TEST`.

`TEST`: an .npz with `images`, uint8 (n, height, width, 3), decoded by whoever has Pillow, and their `labels`.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np

folder, test = Path(sys.argv[1]), np.load(sys.argv[2])
model = keras.models.load_model(folder / "model.keras")
probabilities = model.predict(test["images"].astype("float32"), verbose=0)
labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
right = [labels[best] == label for best, label in zip(probabilities.argmax(axis=1), test["labels"], strict=True)]
is_distribution = bool(np.allclose(probabilities.sum(axis=1), 1, atol=1e-5))
print(json.dumps({"n_correct": sum(right), "n_images": len(right), "is_distribution": is_distribution}))
