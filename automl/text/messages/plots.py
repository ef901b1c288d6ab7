"""Titles, axes and legends of the plots."""

from automl.text.one_or_many import OneOrMany

# The confusion matrix.
MIXES_UP = "Which classes it mixes up"
THE_MODEL_SAID = "The model said"
REALLY_WAS = "It really was"
SHARE_OF_ROW = "share of the row in %"
MIXED_UP_MOST = "What it mixes up most"
TAKEN_FOR = OneOrMany(
    one="{n_wrong} of {n} photo of {truth} was taken for {said}",
    many="{n_wrong} of {n} photos of {truth} were taken for {said}",
)

# How the best model learned.
LEARNING = "Loss and accuracy while the best model was trained"
LOSS = "Loss (lower is better)"
ACCURACY = "Accuracy in % (higher is better)"
EPOCH = "Epoch"
TRAINING = "training"
VALIDATION = "validation"
EPOCH_KEPT = "epoch that was kept"

# The layers of the model.
LAYERS = "The layers of the model"
LAYER = "Layer"
KIND = "Kind"
OUTPUT = "Output"
PARAMETERS = "Parameters"
TRAINED = "Trained"
TOTAL = "Total"
FROZEN = "Frozen"
SEVERAL_OUTPUTS = "{n} outputs, last {shape}"
MORE_LAYERS = OneOrMany(one="… and {n} more layer", many="… and {n} more layers")

# Precision, recall and F1 of each class.
CLASSES = "How well it knows each class"
PRECISION = "precision: how much of what it called so was right"
RECALL = "recall: how much of the class it found"
F1 = "F1: both in one number"
CLASS_AND_PHOTOS = "Class (tested photos)"
WEAKEST_CLASSES_AND_PHOTOS = "Class (tested photos, the {n_shown} weakest of {n_all})"
LABEL_AND_PHOTOS = "{label} ({n})"

# Photos with the answers of the model.
SAMPLES = "What it says about photos it had never seen"
SAMPLES_OF_EVERY_PHOTO = "What models like it say about photos they had never seen"
HEAT_MAPS = "Where it looked: bright areas supported its answer"
HEAT_MAPS_OF_EVERY_PHOTO = "Where the model looks: bright areas speak for the answer that is shown"
RIGHT_ANSWER = "actual: {actual}\n✓ predicted: {predicted}\n{confidence:.0%} sure"
WRONG_ANSWER = "actual: {actual}\n✗ predicted: {predicted}\n{confidence:.0%} sure"

# What the search tried.
ON_STORED_FEATURES = "trained on stored features"
FINE_TUNED = "fine-tuned"
TAUGHT = "taught by a larger model"
MEAN = "a mean of models"
BALANCED_ACCURACY_SCORE = "Balanced validation accuracy in %"
ACCURACY_SCORE = "Validation accuracy in %"
TRIED_OVER_TIME = "What was tried over time"
BEST_OF_THESE = "the best of these so far"
GIVEN_UP_EARLY = "given up early (pruned): {n}"
FAILED = "failed: {n}"
HOURS_SINCE_START = "Hours since the start"
MINUTES_SINCE_START = "Minutes since the start"
SECONDS_SINCE_START = "Seconds since the start"

# The reliability diagram.
RELIABILITY = "Is it right as often as it is sure? (validation photos)"
RELIABILITY_OF_EVERY_PHOTO = "Is it right as often as it is sure? (photos not seen before)"
AS_SURE_AS_RIGHT = "as sure as it is right"
HOW_OFTEN_RIGHT = "How often it was right, in %"
HOW_SURE = "How sure the model was, in %"
ANSWERS_AFTER = "Answers (after)"
BEFORE_CALIBRATION = "before calibration, on average {points:.1f} points off"
AFTER_CALIBRATION = "after calibration, on average {points:.1f} points off"

# ROC and precision-recall curves.
CURVES = "How well its probabilities tell the classes apart"
MEAN_OF_CLASSES = "mean of {n} classes (area {area:.3f}, mean precision {average:.3f})"
GUESSING = "guessing"
ROC = "ROC"
SHARE_OF_OTHERS = "Share of the other classes called so"
SHARE_FOUND = "Share of this class found"
PRECISION_RECALL = "Precision and recall"
RECALL_AXIS = "Recall: share of this class found"
PRECISION_AXIS = "Precision"
ONE_CLASS = "{name} (area {area:.3f}, mean precision {average:.3f})"
MIDDLE_HALF = "middle half of the classes"

# Settings and scores.
SETTINGS_THAT_MATTERED = "Which settings mattered"
SHARE_EXPLAINED = "Share in % of what the settings explain"
SCORE = "score"
HEADS_SETTINGS = "Settings and scores: models on stored features"
FINE_TUNED_SETTINGS = "Settings and scores: fine-tuned models"
HEADS_TRIES = OneOrMany(one="models on stored features: {n} try", many="models on stored features: {n} tries")
FINE_TUNED_TRIES = OneOrMany(one="fine-tuned models: {n} try", many="fine-tuned models: {n} tries")

# What a better score costs.
COSTS = "What a better score costs"
SIZE_AXIS = "Size of the model in MB"
LATENCY_AXIS = "Milliseconds for one photo"
TIME_AXIS = "Seconds to train"
NONE_BETTER = "no other of these is better, smaller and faster"
BEST_AT_COST = "the best of these at that cost or less"

# Class names that no font has.
# The blank is one that does not break, which no class name has: what stands for a class is nobody's name.
NUMBER_OF_CLASS = "#\u00a0{number}"
NUMBERED = "#\u00a0{number} is '{name}'"
NO_FONT_FOR_ONE = (
    "No font on this machine has the letters of '{name}', so the plots call it #\u00a0{number}. Install {package} for "
    "later runs."
)
NO_FONT_FOR_MANY = (
    "No font on this machine has the letters of {n} class names, so the plots show their numbers: {names}. Install "
    "{package} for later runs."
)
NO_FONT_FOR_MORE = (
    "No font on this machine has the letters of {n} class names, so the plots show their numbers, in the order of "
    "labels.txt: {names}, and so on. Install {package} for later runs."
)
