"""How a trial was made and how it ended, for people who never trained a model."""

from automl.text.one_or_many import OneOrMany

# How a model was trained.
HEAD_STAGE = "quick training of a head on stored features"
FINE_TUNING_STAGE = "fine-tuning"
DISTILLATION_STAGE = "learning from the answers of a larger model"
ENSEMBLE_STAGE = "blend of several models"
QUICK_TRAINING = "quick training"
LAST_BLOCKS_TUNED = "fine-tuning of the last blocks"
WHOLE_NETWORK_TUNED = "fine-tuning of the whole network"

# What was tried, and how it ended.
SMALL_PHOTOS = "small photos ({n} px), {backbones}: {outcome}"
MEDIUM_PHOTOS = "medium-sized photos ({n} px), {backbones}: {outcome}"
LARGE_PHOTOS = "large photos ({n} px), {backbones}: {outcome}"
GIVEN_UP_EARLY = "given up early"
FAILED = "failed"
RUNNING_NOW = "running now"
NO_SCORE = "no score"

# Settings of a trial.
SETTING = "{title} {value}"
NO_HIDDEN_LAYER = "no hidden layer"
PHOTOS = "photos"
SQUEEZED = "squeezed to squares"
WHOLE = "whole with bars beside them"
CROPPED = "cut to their middle"
ALL_LAYERS_TRAINED = "all layers trained"
AVERAGED_WITH = OneOrMany(one="averaged with try {numbers}", many="averaged with tries {numbers}")
MEAN_OF = OneOrMany(one="the mean of try {numbers}", many="the mean of tries {numbers}")
YES = "yes"
NO = "no"
BATCH_NORM = "batch norm"
INVERSE_REGULARISATION = "inverse regularisation (C)"
UNIT = "by length (L2)"
REGRESSION = "logistic regression (L-BFGS)"
WEIGHT_AVERAGING = "weight averaging (EMA)"
LEARNING_RATE_DECAY = "learning-rate decay by depth"
LEARNING_RATE_SCHEDULE = "learning-rate schedule"
MIXING = "mixing of photos"
