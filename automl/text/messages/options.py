"""Messages about the options of a run, what a run has room for, and the settings of an installation."""

# Values of an option that cannot be used. {subject} is how the option's row names it at the beginning of a sentence.
NOT_A_WHOLE_NUMBER = "{subject} must be a whole number from {low} to {high:,}."
NOT_A_WHOLE_NUMBER_OF_STEPS = "{subject} must be a whole number from {low} to {high:,}, a multiple of {step}."
NOT_AN_AMOUNT = "{subject} must be a number from {low:g} to {high:,g} {unit}."
NOT_A_CHOICE = "{subject} must be {choices}."
NOT_A_CHOICE_OF_GROUP = "{subject} of {group} must be {choices}, not {value}."
NO_SUCH_SAMPLER = "The sampler of {tuner} must be one of {known}, not {sampler}."
NOT_A_SWITCH = "{subject} must be yes or no."
NOT_A_LIST_OF_BACKBONES = "Backbones must be a list of names, such as mobilenet_v2."
UNKNOWN_BACKBONE = "There is no backbone called {name!r}. Known: {known}."
NOT_HEAD_LAYERS = "Head layers are whole numbers with commas between, such as 256 or 256,64; not {text!r}."
TOO_MANY_HEAD_LAYERS = "There may be {most} head layers at most, not {n}."

# The time that a run may take.
NOT_A_DURATION = "{text!r} is not a length of time. Write minutes, such as 10, or 90s, 2m or 1.5h."
BUDGET_OUT_OF_RANGE = "The time must be between {shortest} and {longest}."
BUDGET_MISSING = "A run needs a length of time here, such as 2m."
NEITHER_BUDGET_NOR_TRIAL_LIMIT = "A run without a time limit needs a trial limit, or it would never end."
OWN_TIME_MISSING = "Write how many minutes the search may take, or choose one of the three times."
TWO_TIMES = "There are two times in this form. Choose one of the three, or “My own time” with your minutes."

# What the three plain choices of the start form stand for.
NO_SUCH_AIM = "The aim must be {choices}."

# What a run of some length has room for.
FIRST_MODEL_AS_BEFORE = "About {time} until the first model, going by an earlier run here."
FIRST_MODEL = "Reading these {n:,} photos takes about {reading} here. The first model usually comes within {within}."
FIRST_MODEL_OR_SOONER = (
    "Reading these {n:,} photos takes about {reading} here. The first model usually comes within {within}, sooner "
    "where you allow less time."
)
TOO_SHORT_FOR_ALL_PHOTOS = "Too short to look at all these photos: the model learns from a part of them."
ROOM_FOR_A_FEW_TRIES = "Room for a few tries."
ROOM_FOR_TRIES = "Room for some {n:,} tries."
ROOM_FOR_MORE_THAN = "Room for more than {n} tries, more than most searches need."
ROOM_FOR_FINE_TUNING = "Long enough to train the inner layers too (fine-tuning)."
ROOM_FOR_THAT_TOO = "Room for that too, and for more."
ROOM_BUT_ENDS_BEFORE = "Room for that too; searches here mostly end by themselves before."

# How an option is explained on the command line and in the documentation.
TITLE_AND_HELP = "{title}. {help}"
QUESTION_AND_HELP = "{title} {help}"
DEFAULT_IS = "Default: {default}."
DEFAULT_OF_GROUP = "{default} for {group} ({choices})"

# What the documentation says of the values of an option.
VALUES_DURATION = "`90s`, `2m`, `1.5h`, `1h30m`, or minutes; from {shortest} to what the server allows"
VALUES_WHOLE_NUMBER = "a whole number from {low:,} to {high:,}"
VALUES_WHOLE_NUMBER_OF_STEPS = "a multiple of {step} from {low:,} to {high:,}"
VALUES_AMOUNT = "a number from {low:g} to {high:,g} ({unit})"
VALUES_SWITCH = "`yes` or `no`, in JSON also `true` or `false`"
VALUES_BACKBONES = "{choices}, as a list or with commas between"
VALUES_HEAD_LAYERS = (
    "the units of up to {most} hidden layers, each from {low:,} to {high:,}, as `256,64` or as a list; `none` or `[]` "
    "for none"
)

# Pieces that other sentences are filled with.
ANY_OF = "{all_but_last} or {last}"
RECOMMENDED = "{title} (recommended)"
NO_LONGER_INSTALLED = "{title} (no longer installed)"
OPTION_WITH_VALUE = "{title}: {value}"

# The settings of an installation.
NOT_A_NUMBER_OF_UNIT = "{variable} must be a number of {unit}, not {text!r}."
NO_HOST_NAMES = (
    "DARKROOM_HOST is {host}, so others can reach this server. Say by which names: DARKROOM_HOSTS=photos.example.org, "
    "or DARKROOM_PUBLIC_URL=https://photos.example.org."
)
NOT_ONE_OF = "{variable} must be {choices}, not {text!r}."
NOT_ONE_OF_THESE = "{variable} must be one of {known}, not {text!r}."
