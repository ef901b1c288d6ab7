"""What a search says while it runs, and what its notes say of it afterwards."""

from automl.text.one_or_many import OneOrMany

# What is being done now.
MEASURING = "Measuring this machine"
READING_PHOTOS = "Reading the photos"
LOOKING = "Looking at the photos with {title} at {n} px"
LOOKING_IN_MIRROR = "Looking at the photos in the mirror with {title} at {n} px"
TRAINING_HEAD = "Training with {model}"
FINE_TUNING = "Training {model}"
TEACHING = "Teaching a small model by the answers of {teacher}"
TRAINING_AGAIN = "Training the best models again"
TRAINING_ON_ALL = "Training the best one once more, on all photos"

# Models in words.
HEAD_ON = "{backbones} at {n} px"
FINE_TUNED = "{backbone} at {n} px, fine-tuned"
LAST_BLOCKS_TUNED = "{backbone} at {n} px, its last blocks fine-tuned"

# Before the search.
BALANCED_ACCURACY_CHOSEN = (
    "The classes differ in size by three times or more, so models are compared by balanced accuracy: every class "
    "counts the same, however few photos it has."
)
NO_FINE_TUNING_WITH_HIDDEN_LAYERS = "Fine-tuning starts from heads without hidden layers, so it is left out here."
NO_TIME_TO_FINE_TUNE = (
    "The networks themselves were not trained any further (fine-tuning): even a short training of one takes about "
    "{needed} here, and the search had no such time left. Give the run more time for that."
)
NO_TRIES_TO_FINE_TUNE = (
    "The networks themselves were not trained any further (fine-tuning): the limit of tries was used up before that."
)
NOTHING_TO_GAIN_BY_FINE_TUNING = (
    "The networks themselves were not trained any further (fine-tuning): every photo held out from training was right "
    "without that."
)
NO_NETWORK_TO_FINE_TUNE = (
    "The networks themselves were not trained any further (fine-tuning): none of them allows it within your limits."
)
NO_MODEL_WITHIN_LIMITS = (
    "No model meets these limits. The smallest one has about {smallest}, and the quickest needs about {quickest} for a "
    "photo here."
)

# What was left out or given up.
NOT_WORTH_ITS_TIME = "{title} at {n} px was left out: the time is better spent otherwise."
NO_TIME_FOR_BLOCK = "{title} at {n} px was left out: not enough time."
BACKBONE_LEFT_OUT = "{title} was left out: {reason}"
BACKBONE_CANNOT_LOOK = "{title} was given up: it could not look at the photos ({error})."
BACKBONE_FAILED = OneOrMany(
    one="{title} was given up: {n} failed try ({message}).",
    many="{title} was given up: {n} failed tries in a row ({message}).",
)
TRY_NOT_REPEATED = "Try {number} could not be repeated ({error})."
NOT_TRAINED_ON_ALL = "Training the best one on all photos did not work ({error})."

# How a trial ended.
BEHIND_OTHERS = OneOrMany(
    one="Given up after {n} epoch: it was behind the others.",
    many="Given up after {n} epochs: it was behind the others.",
)
TOOK_TOO_LONG = "It took too long for the time that there is."
WOULD_TAKE_TOO_LONG = "It would have taken {needed_s:.0f} s, longer than the time that is left."

# What came of the search.
CHOSE_MEAN = (
    "The delivered model is the mean of {n} tries: on photos that they had not learned from, it answered better than a "
    "single one of them."
)
FINE_TUNING_PAID_OFF = OneOrMany(
    one="Fine-tuning paid off: {mine} against {other} without it, both on the same {n:,} validation photo.",
    many="Fine-tuning paid off: {mine} against {other} without it, both on the same {n:,} validation photos.",
)
TEACHING_PAID_OFF = (
    "Learning from the answers of a larger model paid off: {student} reaches {taught} on validation, against {direct} "
    "when it learns from the labels alone."
)
TEACHING_GAINED_NOTHING = (
    "{student} also learned from the answers of a larger model and reaches {taught} on validation, against {direct} "
    "when it learns from the labels alone: no gain that is sure."
)
NO_BETTER_TEACHER = (
    "No small model was taught by a larger one: {teacher} side by side reach {score} on validation, and their answers "
    "are not closer to the truth than those of the small model itself."
)
TEACHING_FAILED = "Teaching a small model by a larger one did not work ({error})."
NOTHING_WAS_TAUGHT = (
    "No small model was taught by a larger one: there was no time for that, or no network to learn from."
)
NOT_WITHIN_LIMITS = "No model that was tried meets the limits on size and latency; this is the best of them."
NO_MODEL = "No model could be trained: {reasons}"
NO_MODEL_NO_TRIAL = "No model could be trained: no trial was finished."

# Why the search ended.
STOPPED_BY_HAND = "The search was stopped by hand; the best model so far was kept."
TRIAL_LIMIT = OneOrMany(
    one="The search ended at its limit of {n} trial.", many="The search ended at its limit of {n} trials."
)
TIME_USED = "The search used the whole time budget."
ENDED_EARLY = "The search ended early: {reasons}."

# Pieces: the reasons for which it ended early.
ALL_RIGHT = "every photo held out from training was right, so nothing more could be gained"
NO_BETTER_TRIES = "the last {n} tries brought nothing better"
NO_BETTER_FINE_TUNINGS = "the last {n} fine-tunings brought nothing better"
ALL_TRIED = "every combination had been tried"
ALL_GIVEN_UP = "every backbone was given up"
NOTHING_TO_FINE_TUNE = "no backbone could be fine-tuned"

# Why a training failed.
NO_MEMORY_FOR_AN_IMAGE = "There is not enough memory for a single image."
FINE_TUNING_DIVERGED = "The fine-tuning diverged: its loss is not a number."
NO_MEMORY_TO_FINE_TUNE = "There is too little memory to fine-tune even with one photo at a time."
NO_MEMORY_FOR_HEAD = "There is too little memory for this head."
HEAD_TOO_WIDE = "A head of this width would need {n_gigabytes:.0f} GB of memory for all its folds."
TRAINING_DIVERGED = "The training diverged: its loss is not a number."

# What a run computes on.
ON_GPU = "{name} (GPU)"
CARD_IN_USE = (
    "The graphics card {card} is used by another worker already, and two would take each other's memory. Wait until "
    "the other one has ended, choose another card with CUDA_VISIBLE_DEVICES=1 (cards are counted from 0), or choose "
    "the processor with CUDA_VISIBLE_DEVICES=-1."
)
ON_CPU = OneOrMany(one="CPU, {n} core", many="CPU, {n} cores")
