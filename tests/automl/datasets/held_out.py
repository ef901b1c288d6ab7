"""Splits with a test set, also of few photos."""

from functools import partial

from automl.datasets.split import make_split
from automl.records import Scoring

held_out_split = partial(make_split, scoring=Scoring.HELD_OUT)
