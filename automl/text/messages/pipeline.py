"""What a run says from its start to the finished download, beside its search."""

from automl.text.one_or_many import OneOrMany

# What is being done now.
COMPARING_ASPECTS = "Comparing ways to make the photos square"
CHECKING_PHOTOS = "Checking the photos"
PACKING_SO_FAR = "Packing the best model so far"
PACKING_BEST = "Packing the best model"
PACKING_DOWNLOAD = "Packing the download"
SCORING = OneOrMany(
    one="Scoring the best model on {n:,} photo it has never seen",
    many="Scoring the best model on {n:,} photos it has never seen",
)
SCORING_EVERY_PHOTO = OneOrMany(
    one="Scoring {n:,} photo by the answers of models that had not seen it",
    many="Scoring {n:,} photos by the answers of models that had not seen them",
)
DRAWING_HEAT_MAPS = "Drawing heat maps"
DRAWING_PLOTS = "Drawing the plots"

# Why a run cannot start.
NO_BACKBONE = "No pretrained weights are installed. Run `automl weights fetch` on the server, then try again."
BACKBONES_MISSING = "Not installed here: {missing}. Installed: {installed}."

# What was before, and makes the result less certain.
TEST_RESULT_SEEN = (
    "You started this run after you had seen the result of another one on these photos. They are no longer quite "
    "untouched: the score may be a little too good."
)
TEST_READ_TWICE = "This run was interrupted while its best model was tested: it was tested twice."
CONTINUED = OneOrMany(
    one="This run was interrupted after {n} trial and continued from there.",
    many="This run was interrupted after {n} trials and continued from there.",
)

# What happened during the run.
NO_DISTANCE_WHEN_TUNED = (
    "This model cannot say “this looks like nothing it has learned”: its network was trained through and through on "
    "all of the photos, so none is left that shows how far other photos of the same kind are."
)
NO_DISTANCE_OF_FEW = (
    "This model cannot say “this looks like nothing it has learned”: that takes at least {n} photos that it was tried "
    "on before the test."
)
ASKING_OTHER_PICTURES = "Looking at pictures of other things"
PART_OF_PHOTOS = (
    "Only {n:,} of {n_all:,} photos were learned from: there is no time to look at all of them. Give it more time, and "
    "it learns from more."
)
CLIPS_FOUND_LATER = OneOrMany(
    one=(
        "A closer look at the training photos found {n:,} clip ({photos:,} photos) that the first check had not seen "
        "as one. It stays together when models are compared, but the test was chosen before that."
    ),
    many=(
        "A closer look at the training photos found {n:,} clips ({photos:,} photos) that the first check had not seen "
        "as such. Each stays together when models are compared, but the test was chosen before that."
    ),
)
TEST_HAS_FRAMES = OneOrMany(
    one=(
        "{n:,} of {compared:,} test photos that were compared looks like a frame of a clip that was learned from: the "
        "score is too optimistic for photos of other occasions. Test with photos that were taken separately."
    ),
    many=(
        "{n:,} of {compared:,} test photos that were compared look like frames of clips that were learned from: the "
        "score is too optimistic for photos of other occasions. Test with photos that were taken separately."
    ),
)
ASPECT_SQUEEZE = (
    "Most photos are not square, so {n:,} of them were tried in each way in which a photo can become the square "
    "that a model sees: squeezed {squeeze} were right, whole with bars beside them {whole}, their middle alone {crop}. "
    "Photos are squeezed, since no other way was clearly better."
)
ASPECT_WHOLE = (
    "Most photos are not square, so {n:,} of them were tried in each way in which a photo can become the square "
    "that a model sees: squeezed {squeeze} were right, whole with bars beside them {whole}, their middle alone {crop}. "
    "Photos are seen whole, here and wherever the model is used."
)
ASPECT_CROP = (
    "Most photos are not square, so {n:,} of them were tried in each way in which a photo can become the square "
    "that a model sees: squeezed {squeeze} were right, whole with bars beside them {whole}, their middle alone {crop}. "
    "Only the middle of a photo is seen, here and wherever the model is used."
)
NEXT_BEST_DELIVERED = "The model of try {number} could not be written ({reason}), so the next best one is delivered."
NOT_PACKED_MEANWHILE = "A model could not be packed while the search went on ({reason})."
MODELS_DISAGREE = "The exported models disagree with each other by {difference:.3f}; nothing was delivered."
FIRST_MODEL_NOT_TESTED = "The first model that was found was not tested for comparison: there was no time left."
NO_HEAT_MAPS = "The page of heat maps is left out of the plots: there was no time left for it."
LATE_BY_FIRST_MODEL = (
    "This took {late_s:.0f} s longer than asked: reading the photos and finding a first model took longer than that."
)
LATE_BY_PACKING = (
    "This took {late_s:.0f} s longer than asked: writing and testing the model took longer than was foreseen."
)

# The download, and formats that could not be made.
TRAINED_MODEL = "The trained model"
MODEL_TOO_OLD = (
    "This model was made by an older Darkroom, whose download lacks what other formats are made from. Train it again "
    "to get them."
)
RUN_HAS_NO_MODEL = "This run has no model."
FORMAT_NOT_MADE = "{title} could not be made from this model; the log export-{run_id}.log says why."
