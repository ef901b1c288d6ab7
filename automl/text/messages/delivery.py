"""What the report, the model card and the files of a download say of a model."""

from automl.text.one_or_many import OneOrMany

# The honest score, for people who do not know what a score is.
SCORE = "It was right on {n_right:,} of {n:,} photos it had never seen; expect {low} to {high} of 100."
SCORE_AND_WORST_PAIR = (
    "It was right on {n_right:,} of {n:,} photos it had never seen; expect {low} to {high} of 100. It mixes up {one} "
    "and {other} most."
)

EVERY_PHOTO_SCORE = (
    "Each photo was tested by a model that had never seen it: about {expected} of 100 are right; expect {low} to "
    "{high}."
)
EVERY_PHOTO_SCORE_AND_WORST_PAIR = (
    "Each photo was tested by a model that had never seen it: about {expected} of 100 are right; expect {low} to "
    "{high}. It mixes up {one} and {other} most."
)

# What else the test showed.
EVERY_PHOTO_COUNTED = OneOrMany(
    one=(
        "Models of the same kind, each without some of the photos, answered {n_right:,} of {n_photos:,} right; the "
        "score is {score}. The delivered model has learned from every photo."
    ),
    many=(
        "Models of the same kind, each without some of the photos, answered {n_right:,} of {n_photos:,} right. Such "
        "answers also chose the best of {n:,} tries, which makes them a little lucky: the score, {score}, is corrected "
        "for that. The delivered model has learned from every photo."
    ),
)
BASELINE = "Always saying the most common class would have been right on {n_right:,} of {n:,}."
NOT_BETTER_THAN_BASELINE = (
    "Always saying the most common class would have been right on {n_right:,} of {n:,}. The model is not clearly "
    "better than that, so do not rely on it yet."
)
SMALL_MODEL_DELIVERED = (
    "The model, or a part of it, is {student} ({size}, {latency} for a photo), which learned from the answers of "
    "{teachers}: right on {accuracy} of the validation photos, {without_teacher} beside the same network without a "
    "teacher."
)
SMALL_MODEL_BESIDE = (
    "Best for its size: {student} ({size}, {latency} for a photo), taught by the answers of {teachers}, is right on "
    "{accuracy} of the validation photos: {beside} beside this model, and {without_teacher} beside the same network "
    "without a teacher."
)
POINTS = "{points:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"
FIRST_MODEL_WON = "The first model that was found, after {time}, is the one that won: the search found no better one."
FIRST_MODEL_AS_GOOD = (
    "The first model, found after {time}, was right on {n_right:,} of {n_tested:,}, just as many: on these photos the "
    "search gained nothing over it."
)
FIRST_MODEL_BETTER_BY_POINTS = OneOrMany(
    one=(
        "The first model, found after {time}, was right on {n_right:,} of {n_tested:,}, one point more: on these "
        "photos the search gained nothing over it."
    ),
    many=(
        "The first model, found after {time}, was right on {n_right:,} of {n_tested:,}, {n} points more: on these "
        "photos the search gained nothing over it."
    ),
)
FIRST_MODEL_BETTER_BY_LITTLE = (
    "The first model, found after {time}, was right on {n_right:,} of {n_tested:,}, less than one point more: on these "
    "photos the search gained nothing over it."
)
SEARCH_GAINED_POINTS = OneOrMany(
    one=(
        "The first model, found after {time}, was right on {n_right:,} of {n_tested:,}; the search gained one point "
        "over it."
    ),
    many=(
        "The first model, found after {time}, was right on {n_right:,} of {n_tested:,}; the search gained {n} points "
        "over it."
    ),
)
SEARCH_GAINED_LITTLE = (
    "The first model, found after {time}, was right on {n_right:,} of {n_tested:,}; the search gained less than one "
    "point over it."
)
NO_MISTAKE = "It made no mistake on these photos; that does not mean that it never will."
WORST_MISTAKE = "Its most frequent mistake: it took {n:,} of the {n_true:,} tested photos of {truth} for {said}."
ONE_OF_WORST_MISTAKES = (
    "One of its most frequent mistakes: it took {n:,} of the {n_true:,} tested photos of {truth} for {said}."
)
WEAKEST_CLASS = "It recognises {classes} least often: {n_right:,} of {n:,} tested photos."
SURE_ON_TEST_PHOTOS = (
    "When it is at least {threshold} sure, which it was for {coverage} tested photos, it was right on {accuracy}. "
    "Treat an answer below that as “not sure”."
)
SURE_ON_VALIDATION_PHOTOS = (
    "When it is at least {threshold} sure, which it was for {coverage} validation photos, it was right on {accuracy}. "
    "Treat an answer below that as “not sure”."
)
ANYTHING_ELSE = (
    "“{label}” is learned from photos of anything else: of {n_else:,} tested ones, {n_taken:,} were taken for one of "
    "its kinds, and of {n_kinds:,} tested photos of its kinds, {n_missed:,} for “{label}”."
)
FOREIGN = (
    "It says “this looks like nothing it has learned” to {n_recognised:,} of {n_others:,} pictures of other things "
    "(photographs, drawings, digits; expect {recognised}), and wrongly to {n_flagged:,} of {n_photos:,} photos of what "
    "it has learned (expect {flagged}). What looks much like its own photos can still pass."
)
SHARE_INTERVAL = "{low:.0f} to {high:.0f} of 100"
OF_100 = "{n} of 100"
FEW_TEST_PHOTOS = OneOrMany(
    one=("Only one photo was there for the test, so its score is a rough one. More photos would make it surer."),
    many="Only {n} photos were there for the test, so its score is a rough one. More photos would make it surer.",
)
FEW_PHOTOS = OneOrMany(
    one="There was only one photo to test, so the score is a rough one. More photos would make it surer.",
    many="There were only {n} photos, so the score is a rough one. More photos would make it surer.",
)
DOUBTED_LABELS = OneOrMany(
    one=("It doubts the label of one photo that it was trained on. If that is wrong, fixing it makes a better model."),
    many=(
        "It doubts the labels of {n:,} photos that it was trained on. If some of them are wrong, fixing them makes a "
        "better model."
    ),
)

# What the model cannot do.
ALWAYS_ANSWERS = (
    "It always answers with one of its {n:,} classes, even for a photo that shows none of them, and sometimes with "
    "high confidence."
)
ONLY_PHOTOS_LIKE_THESE = (
    "The score holds for photos like the tested ones, which came from the same collection. On photos from another "
    "place, camera, season or group of people it may do worse: test it on some of them before you rely on it."
)
ROUGH_CLASSES = "Fewer than {few} tested photos each, so their own figures say little: {classes}."
LEARNED_FROM_IMAGENET = (
    "The networks that it is built on first learned from ImageNet's photographs of the web; what these show too "
    "rarely, or with prejudice, may show in its answers."
)

# Facts about the photos and about how the model was made: their titles, and what is so.
PURPOSE = "Says which of {n:,} classes a photo shows: {classes}."
BEST_SO_FAR = "Best so far: {score}; the honest score comes last."
DATA_SET = "Data set"
CLASSES = "Classes"
VERSION = "Version"
PHOTOS = "Photos"
TEST_PHOTOS = "Test photos"
PHOTOS_USED = "{n:,}: {n_learned:,} to learn from, {n_test:,} for the test"
PHOTOS_USED_OR_NOT = "{n:,}: {n_learned:,} to learn from, {n_test:,} for the test, {n_left_out:,} left out"
EVERY_PHOTO_USED = "{n:,}: each is learned from, and each is tested by a model that had not seen it"
SOME_PHOTOS_TESTED = (
    "{n:,}: {n_learned:,} to learn from, {n_tested:,} of them tested by models that had not seen them, "
    "{n_left_out:,} left out"
)
UNUSABLE_FILES = "Files that could not be used"
VALIDATION = "Validation"
VALIDATION_WITHIN = "{method}, within the photos to learn from"
VALIDATED_ON_ONE_PART = "one held-out part"
VALIDATED_REPEATEDLY = "{n_folds}-fold cross-validation, {n_repeats} times"
VALIDATED_ON_SOME_FOLDS = OneOrMany(
    one="one of the {n_folds} folds of cross-validation", many="{n} of the {n_folds} folds of cross-validation"
)
VALIDATED_ON_ALL_FOLDS = "{n_folds}-fold cross-validation"
FINGERPRINT = "Fingerprint (SHA-256)"
CHOSEN_FROM = "Chosen from"
CHOSEN_FROM_TRIES = OneOrMany(one="one try, number {winner} won", many="{n:,} tries, number {winner} won")
CHOSEN_FROM_MEANS = "{n:,} tries, and means of several of them: the mean of {n_parts} won"
ON_VALIDATION_PHOTOS = "On validation photos"
ON_VALIDATION_PHOTOS_WAS = (
    "{share} of {n:,}. These photos chose the winner, so this score tends to be a little too good; the test score is "
    "the honest one."
)
COUNTED = "Counted by the answers that chose it"
COUNTED_WAS = (
    "{share} of {n:,}. The same answers chose the winner, so this tends to be a little too good; the score is "
    "corrected for that."
)
TIME = "Time"
TIME_OF_BUDGET = "{used} of {budget}"
SEED = "Seed"
FIXED_BEFORE_TEST = "Fixed before the test (SHA-256)"
DIGEST = "Digest of the model (SHA-256)"
BUILT_ON = "Built on"
WHAT_IT_SEES = "What it sees"
SEES_SQUARE = "the photo at {picture}"
HOW_TRAINED = "How it was trained"
CHOSEN_SETTINGS = "Chosen settings"
SIZE = "Size"
TIME_FOR_ONE_PHOTO = "Time for one photo"
TIME_WHERE_TRAINED = "{time} where it was trained"
WEIGHTS_FROM = "{origin}: {location}"
WEIGHTS_FROM_PACKAGE = "{origin} (name of the Python package that the numbers were taken from)"

# The table of scores: for everybody, and as the field calls them.
ACCURACY = "Right on tested photos"
ACCURACY_TERM = "accuracy"
BALANCED_ACCURACY = "The same, where every class counts the same"
BALANCED_ACCURACY_TERM = "balanced accuracy"
MACRO_F1 = "Found and rightly named, mean of the classes"
MACRO_F1_TERM = "macro F1"
TOP_5 = "The right class is among its first five answers"
TOP_5_TERM = "top-5 accuracy"
WITHOUT_A_MODEL = "Without any model: always the most common class"
WITHOUT_A_MODEL_TERM = "baseline"
FIRST_MODEL = "The first model that was found, after {time}"
LOG_LOSS = "How far its probabilities are off (0 is perfect)"
LOG_LOSS_TERM = "log loss"
CONFIDENCE_ERROR = "How far its confidence is from how often it is right"
CONFIDENCE_ERROR_TERM_TEST = "calibration error (ECE), tested photos"
CONFIDENCE_ERROR_TERM_BEFORE = "calibration error (ECE), validation photos, before calibration"
CONFIDENCE_ERROR_TERM_AFTER = "calibration error (ECE), validation photos, after it"
COUNTED_ERROR_TERM_TEST = "calibration error (ECE), one answer to each photo"
COUNTED_ERROR_TERM_BEFORE = "calibration error (ECE), by the answers that calibrated it, before calibration"
COUNTED_ERROR_TERM_AFTER = "calibration error (ECE), by the answers that calibrated it, after it"
VALIDATED = "On validation photos, which chose the winner"
COUNTED_ROW = "By the answers that chose the winner, not corrected for that"
VALIDATED_TERM = "validation {goal}"
COUNTED_ROW_TERM = "cross-validated {goal}"

# The proof of a format.
NOT_LOADED = "It could not be loaded again, so do not rely on it."
LOADED_WITH_DARKROOM = "It was not loaded without Darkroom, so nothing is proven."
OTHER_LABELS = "Its labels are not those of the model."
NO_PROBABILITIES = "Its answers are not probabilities."
PROBABILITIES_DO_NOT_ADD_UP = "Its probabilities do not add up to 1."
FEWER_RIGHT = (
    "Loaded again, it was right on {n_right:,} of {n:,} test photos: {n_off:,} fewer than the model itself "
    "({points:.1f} percentage points), so it is not quite the same model."
)
MORE_RIGHT = (
    "Loaded again, it was right on {n_right:,} of {n:,} test photos: {n_off:,} more than the model itself "
    "({points:.1f} percentage points), so it is not quite the same model."
)
SAME_MODEL = (
    "Loaded again, it was right on {n_right:,} of {n:,} test photos, as many as the model itself; its probabilities "
    "are the same."
)
SAME_COUNT = (
    "Loaded again, it was right on {n_right:,} of {n:,} test photos, as many as the model itself; a probability "
    "differs by {largest:.3f} at most."
)
SAME_PROBABILITIES = (
    "Loaded again, it was right on {n_right:,} of {n:,} test photos, the model itself on {n_expected:,}; its "
    "probabilities are the same."
)
ABOUT_THE_SAME = (
    "Loaded again, it was right on {n_right:,} of {n:,} test photos, the model itself on {n_expected:,}; a probability "
    "differs by {largest:.3f} at most."
)

SAME_ANSWERS = (
    "Loaded again, it gives the same answers as the model itself to the photos that it was tried on, {n:,} of {n:,}; "
    "its probabilities are the same."
)
SAME_ANSWERS_NEARLY = (
    "Loaded again, it gives the same answers as the model itself to the photos that it was tried on, {n:,} of {n:,}; a "
    "probability differs by {largest:.3f} at most."
)
ABOUT_THE_SAME_ANSWERS = (
    "Loaded again, it gives the model's own answers to {n_same:,} of the {n:,} photos that it was tried on; a "
    "probability differs by {largest:.3f} at most."
)
OTHER_ANSWERS = (
    "Loaded again, it gives the model's own answers to only {n_same:,} of the {n:,} photos that it was tried on, so it "
    "is not quite the same model."
)

# Writing other formats.
WRITING_FORMAT = "Writing {title}"
TESTING_FORMAT = OneOrMany(one="Testing {title} on {n:,} photo", many="Testing {title} on {n:,} photos")
NO_FINISHED_MODEL = "{bundle} is not a finished model that Darkroom made ({error})."
OTHER_PHOTOS = "These are not the photos that the model was trained with. Give the same folder or archive."
MODEL_NOT_FOUND = "There is no file {bundle}."
MODEL_IS_A_FOLDER = "{bundle} is a folder. Name the .zip of the model itself."
NO_MODEL = "{bundle} is not a model that Darkroom made ({error})."
MADE_WITHOUT = "{bundle} was made without {name}. Tick it too, and download once more."
DOWNLOAD_DAMAGED = "The download of this run is damaged, or not a finished one ({error})."

# The files of a download, in a few words.
KERAS_FILE = "the model for TensorFlow and Keras; it takes a photo as it is"
ONNX_FILE = "the same model for everything else: phones, servers, other languages"
PREDICT_FILE = "a small program that says what is in a photo"
REQUIREMENTS_FILE = "what that program needs"
SERVING_FILE = (
    "how a photo becomes the pixels that the models see, and when an answer is sure; each model has it inside, too"
)
LABELS_FILE = "the names of the classes, in order"
REPORT_FILE = "the result in words, with figures and plots, to read or print"
PHOTOS_FILE = "which photo was learned from, and which was tested"
ANSWERS_FILE = "what was said about each tested photo, and how sure the answer was"
MORE_PHOTOS_FILE = "how often a quick model was right that had learned from some of the photos, and from all"
METRICS_FILE = "the score, the settings and everything that was measured"
README_FILE = "how to use all this"
MODEL_CARD_FILE = "what the model is good for, and what it is not"
PLOTS_FOLDER = "the plots"

# What to type to try a download. The folder for the packages is needed where the system's own pip refuses.
ON_WINDOWS = "On Windows"
WINDOWS_COMMANDS = """py -m venv venv
venv\\Scripts\\pip install -r {requirements}
venv\\Scripts\\python {script} photo.jpg"""
ON_MACOS_AND_LINUX = "On macOS and Linux"
MACOS_AND_LINUX_COMMANDS = """python3 -m venv venv
venv/bin/pip install -r {requirements}
venv/bin/python {script} photo.jpg"""
TYPE_ON_SYSTEM = """{system}, type
{commands}"""

# The README of the first download, paragraph by paragraph.
README_BEGINNING = """{sentence}

Try it: unpack this folder and open a terminal in it.
{commands}

model.onnx    what predict.py uses (ONNX Runtime): RGB photo with values 0-255 in, probabilities out"""
README_KERAS = 'model.keras   the same model for TensorFlow and Keras 3: keras.models.load_model("model.keras")'
README_FILES = """labels.txt    the class names, one a line, in the order of the probabilities
serving.json  how a photo becomes the pixels that the model sees, and when an answer is sure; model.onnx has it, too
metrics.json  every figure and setting: score, confusion matrix, how it was trained, where its weights come from
report.html   the result in words, with its figures and plots: open it in a browser, or print it
model_card.md what the model is for and not for, where its parts come from, and the command that repeats it
photos.csv    which photo was learned from and which was tested
answers.csv   what was said about each tested photo, and how sure the answer was
more_photos.csv what more photos are worth (these five in the finished download)
plots/        the plots"""
README_NO_KERAS = (
    "The search was still going on when this was packed. The finished download also has model.keras, for TensorFlow."
)
REQUIREMENTS_COMMENT = "# What predict.py needs; any Python from 3.10 on."

# The README of one format.
RUNTIME_README = """How to use {model} with {title}. Open a terminal in this folder.
{commands}
Name as many photos as you like. To ask one certain model, name it before them: {script} --model {model} photo.jpg
In your own code: from {module} import Classifier; probabilities = Classifier({model!r}).predict('photo.jpg')"""

# The README of chosen formats, line by line.
UNPACK_AND_OPEN = "Unpack this folder and open a terminal in it. The models, and what uses each of them:"
CHOSEN_THRESHOLD = (
    "Below a confidence of {share} the programs say “not sure”: that was chosen on the page of the result, and stands "
    "in serving.json."
)
KEEP_PREDICT = "Keep predict.py beside the others, which read photos with it; it has no model of its own here."
OTHER_FILES = "Also in this folder:"
RUNTIME_AND_README = "{title} ({readme} also says how to use it in your own code)"
OTHER_MODELS = "To ask another one of these models, name it before the photo: {script} --model {file} photo.jpg"
FORMAT_AND_PURPOSE = "{file}: {title}. {purpose}"
REMARK_ON_FORMAT = "Mind: {remark}"
