"""What the views bring into words for the pages, beside what the templates say."""

from automl.text.one_or_many import OneOrMany

UNNAMED_DATA_SET = "Photos"

# States of runs and data sets, and how long ago something was.
WAITING = "Waiting"
PREPARING = "Preparing"
SEARCHING = "Searching"
FINISHING = "Finishing"
DONE = "Done"
FAILED = "Failed"
CANCELLED = "Cancelled"
NOT_CHECKED_YET = "Not checked yet"
BEING_CHECKED = "Being checked"
READY = "Ready"
NEEDS_ATTENTION = "Needs attention"
DAYS_AGO = OneOrMany(one="{n} day ago", many="{n} days ago")
HOURS_AGO = OneOrMany(one="{n} hour ago", many="{n} hours ago")
MINUTES_AGO = OneOrMany(one="{n} minute ago", many="{n} minutes ago")
JUST_NOW = "just now"
DAYS = OneOrMany(one="{n} day", many="{n} days")
IN_DAYS = OneOrMany(one="in {n} day", many="in {n} days")
IN_HOURS = OneOrMany(one="in {n} hour", many="in {n} hours")
IN_MINUTES = OneOrMany(one="in {n} minute", many="in {n} minutes")
IN_A_MOMENT = "in less than a minute"
UNDER_A_TENTH = "under {share}"
LABEL_AND_FILE = "{label}: {file}"

# The start form.
MOST_ACCURATE = "Most accurate"
MOST_ACCURATE_HELP = "As many right as possible, whatever its size."
BALANCED = "Balanced"
BALANCED_HELP = "A good score in a model of up to 24 MB that takes up to 50 ms for a photo here."
SMALL_AND_FAST = "Small and fast"
SMALL_AND_FAST_HELP = "Up to 12 MB, and up to 20 ms for a photo here. For phones and small computers."
QUICK = "Quick"
QUICK_HELP = "A first answer: does it work at all?"
STANDARD = "Standard"
STANDARD_HELP = "Many more tries. Good for most photos."
THOROUGH = "Thorough"
THOROUGH_HELP = "The widest search, for when it matters."
HALF_A_MINUTE = "half a minute"
A_MINUTE = "a minute"

# The confusion matrix: photos of one class, by the answer.
MISTAKES = OneOrMany(one="{n:,} mistake", many="{n:,} mistakes")
PHOTOS_OF = OneOrMany(one="{n:,} photo of {really}", many="{n:,} photos of {really}")
PHOTOS_CALLED = OneOrMany(one="{n:,} photo that it called {said}", many="{n:,} photos that it called {said}")
RIGHTLY_NAMED = OneOrMany(one="{n:,} photo of {really}, rightly named", many="{n:,} photos of {really}, rightly named")
TAKEN_FOR = OneOrMany(one="{n:,} photo of {really} taken for {said}", many="{n:,} photos of {really} taken for {said}")

# The formats of a model.
RIGHT_LIKE_MODEL = "right on {n_right:,} of {n:,} test photos, like the model itself"
RIGHT_UNLIKE_MODEL = "right on {n_right:,} of {n:,} test photos, the model itself on {n_model:,}"
SAME_ANSWERS = "same answers as the model itself"
NEARLY_SAME_ANSWERS = "{share} of its answers are those of the model itself"
RIGHT_ON_NOT_LEARNED = "Score in %"
PHOTOS_LEARNED_FROM = "Photos learned from"
LARGEST_DIFFERENCE = "how sure it is differs by at most {points:.1f} points of 100"
TIME_A_PHOTO = "{time} a photo"
NOT_QUITE_THE_MODEL = "Not quite the same model: {right}."
FORMAT_NOT_MADE = "It could not be made."
READY_BEING_TESTED = "ready to download; being tested once more, in a clean process"
READY_NOT_TESTED = "ready to download; it will be tested once more, in a clean process"
BEING_MADE = "being made and tested now"
WAITS_FOR_TURN = "waits for its turn; all are ready some minutes after the run"

# The comparison of runs.
ACCURACY = "Right on tested photos"
BALANCED_ACCURACY = "Where every kind counts the same"
BALANCED_ACCURACY_TERM = "balanced accuracy"
MACRO_F1 = "Found and rightly named"
MACRO_F1_TERM = "macro F1"
LOG_LOSS = "How far its probabilities are off"
LOG_LOSS_TERM = "log loss"
CONFIDENCE_ERROR = "How far its confidence is off"
CONFIDENCE_ERROR_TERM = "calibration error, ECE"
SIZE = "Size of the model"
LATENCY = "One photo takes"
LATENCY_TERM = "latency, here"
TIME = "Time that it took"
TRIES = "Tries"
TRIES_TERM = "trials"
BUILT_ON = "Built on"
PHOTOS_AT = "Photos at"
PHOTOS_AT_TERM = "input size"
HOW_TRAINED = "How it was trained"
VERSION_OF_PHOTOS = "Version of the photos"
TESTS_NOT_RECORDED = (
    "An earlier version did not record which photos it tested with, so we cannot know whether these runs were "
    "tested with the same ones. Their scores may not be comparable."
)
OTHER_TESTS = (
    "They were not tested with the same photos, so their scores cannot be compared directly: a higher one may only "
    "mean easier photos."
)
ACCURACY_TERM = "accuracy"
SAME_TESTS = OneOrMany(
    one="All were tested with the same {n:,} photo, so their scores can be compared.",
    many="All were tested with the same {n:,} photos, so their scores can be compared.",
)
OTHER_LABELS = OneOrMany(
    one=(
        "They were tested with the same photos, but {n:,} photo had different labels. Scores based on different labels "
        "cannot be compared directly."
    ),
    many=(
        "They were tested with the same photos, but {n:,} photos had different labels. Scores based on different "
        "labels cannot be compared directly."
    ),
)

RIGHT_ON_COMMON = "Right on the same photos, by the labels of today"
RIGHT_ON_COMMON_TERM = OneOrMany(
    one="accuracy on the {n:,} photo that all have been asked",
    many="accuracy on the {n:,} photos that all have been asked",
)

# Two runs on the photos that both were tested with.
AHEAD_ON_BOTH = OneOrMany(
    one=(
        "On the {n:,} photo that both have been asked, {first} is right on {first_share} and {second} on "
        "{second_share}. {better} is ahead by {points:.1f} points; on many more photos like this one the difference "
        "would lie between {low:.1f} and {high:.1f} points (95 % interval)."
    ),
    many=(
        "On the {n:,} photos that both have been asked, {first} is right on {first_share} and {second} on "
        "{second_share}. {better} is ahead by {points:.1f} points; on many more photos like these the difference "
        "would lie between {low:.1f} and {high:.1f} points (95 % interval)."
    ),
)
EVEN_ON_BOTH = OneOrMany(
    one=(
        "On the {n:,} photo that both have been asked, {first} and {second} are both right on {first_share}; on many "
        "more photos like this one the difference would lie between {low:.1f} and {high:.1f} points (95 % interval)."
    ),
    many=(
        "On the {n:,} photos that both have been asked, {first} and {second} are both right on {first_share}; on many "
        "more photos like these the difference would lie between {low:.1f} and {high:.1f} points (95 % interval)."
    ),
)
NONE_IN_COMMON = "{first} and {second} have no tested photo in common."
SAME_ONES_RIGHT = OneOrMany(
    one="Of the {n:,} photo that both were tested with, {first} and {second} were right on the same ones.",
    many="Of the {n:,} photos that both were tested with, {first} and {second} were right on the same ones.",
)
MAY_BE_LUCK = OneOrMany(
    one=(
        "Of the {n:,} photo that both were tested with, {first} alone was right on {only_first:,}, and {second} alone "
        "on {only_second:,}. The difference may be luck (exact McNemar test, p = {p_value:.2g})."
    ),
    many=(
        "Of the {n:,} photos that both were tested with, {first} alone was right on {only_first:,}, and {second} alone "
        "on {only_second:,}. The difference may be luck (exact McNemar test, p = {p_value:.2g})."
    ),
)
PROBABLY_BETTER = OneOrMany(
    one=(
        "Of the {n:,} photo that both were tested with, {first} alone was right on {only_first:,}, and {second} alone "
        "on {only_second:,}. Luck alone rarely does that, so {better} is probably better (exact McNemar test, "
        "p = {p_value:.2g})."
    ),
    many=(
        "Of the {n:,} photos that both were tested with, {first} alone was right on {only_first:,}, and {second} alone "
        "on {only_second:,}. Luck alone rarely does that, so {better} is probably better (exact McNemar test, "
        "p = {p_value:.2g})."
    ),
)
MAY_BE_LUCK_BY_CLIP = OneOrMany(
    one=(
        "Of the {n:,} photo that both were tested with, {first} alone was right on {only_first:,}, and {second} alone "
        "on {only_second:,}. The difference may be luck (sign-flip test, clip by clip, p = {p_value:.2g})."
    ),
    many=(
        "Of the {n:,} photos that both were tested with, {first} alone was right on {only_first:,}, and {second} alone "
        "on {only_second:,}. The difference may be luck (sign-flip test, clip by clip, p = {p_value:.2g})."
    ),
)
PROBABLY_BETTER_BY_CLIP = OneOrMany(
    one=(
        "Of the {n:,} photo that both were tested with, {first} alone was right on {only_first:,}, and {second} alone "
        "on {only_second:,}. Luck alone rarely does that, so {better} is probably better (sign-flip test, clip "
        "by clip, p = {p_value:.2g})."
    ),
    many=(
        "Of the {n:,} photos that both were tested with, {first} alone was right on {only_first:,}, and {second} alone "
        "on {only_second:,}. Luck alone rarely does that, so {better} is probably better (sign-flip test, clip "
        "by clip, p = {p_value:.2g})."
    ),
)

# The Help pages.
USER_GUIDE = "User guide"
WORDS_EXPLAINED = "Words explained"
FOR_PROGRAMMERS = "For programmers (API)"
SETTINGS_OF_SERVER = "Settings of the server"
SECURITY_OF_SERVER = "Security"
TABLE = "Table"

# Photos that a model has sorted: which of them are shown, and the folders that they are downloaded in.
SORTED_ALL = "All"
SORTED_DOUBTFUL = "The model is not sure"
SORTED_OPEN = "Nobody has looked"
SORTED_CORRECTED = "Corrected"
SORTED_UNSURE = "You are not sure"
SORTED_NONE = "None of these"
SORTED_UNREAD = "Not readable"
UNSURE_FOLDER = "not sure"
NONE_FOLDER = "none of these"
SORTED_AS = "sorted as"
LOOKED_AT = "looked at"
YES = "yes"
NO = "no"

# What a run has gained by photos that a model had sorted.
SORTED_CAME = OneOrMany(
    one="Since the run before, {n:,} photo that a model had sorted was added.",
    many="Since the run before, {n:,} photos that a model had sorted were added.",
)
GAIN_ON_COMMON = OneOrMany(
    one="On the {n:,} photo that both have been asked, this run is right on {after} and the one before on {before}:",
    many="On the {n:,} photos that both have been asked, this run is right on {after} and the one before on {before}:",
)
GAIN_MORE = "{points:.1f} points more. On many more photos like these, it would be {low:.1f} to {high:.1f} points more."
GAIN_LESS = "{points:.1f} points less. On many more photos like these, it would be {low:.1f} to {high:.1f} points less."
GAIN_NONE = OneOrMany(
    one="On the {n:,} photo that both have been asked, both runs are right on {share}.",
    many="On the {n:,} photos that both have been asked, both runs are right on {share}.",
)
GAIN_MAY_BE_LUCK = "So the difference may be luck."
GAIN_UNKNOWN = "The two runs have no tested photo in common, so what that has brought cannot be said."

# Which photos of a version a model has sorted.
CONFIRMED_IN_VERSION = OneOrMany(
    one="{n:,} of them was sorted by a model, then confirmed by a person.",
    many="{n:,} of them were sorted by a model, then confirmed by a person.",
)
UNSEEN_IN_VERSION = OneOrMany(
    one="{n:,} of them was sorted by a model that was sure, and nobody has looked at it.",
    many="{n:,} of them were sorted by a model that was sure, and nobody has looked at them.",
)
