"""Whether a model is good enough, and what would make it better: the first words of the page of a result."""

from automl.text.one_or_many import OneOrMany

# Is it good enough?
NOT_LEARNED = "It has not learned to tell them apart: always saying “{label}” would be right about as often."
MAY_BE_LUCK = (
    "That may still be luck: always saying “{label}” would be right on {n_right:,} of the {n:,} tested photos."
)
NO_MISTAKE = "It made no mistake. Try it on photos from another day or another place before you rely on it."
NO_MISTAKE_OF_FEW = (
    "It made no mistake, but {n} photos are a small test. Try it on photos from another day or another place before "
    "you rely on it."
)
GOOD_FOR_MOST = "Good enough for most uses: about 1 answer in {one_in} is wrong."
GOOD_IF_HARMLESS = "Good enough where a mistake now and then does no harm: about 1 answer in {one_in} is wrong."
GOOD_AS_HELP = "Good enough as a help, if somebody looks over its answers: about 1 in {one_in} is wrong."
NOT_GOOD_YET = "Not good enough yet to rely on: about {n_wrong} answers in 10 are wrong."

# What to do next.
TEST_MORE = (
    "With so few photos nobody can tell. Add more of each kind and train again: the score then says what it is worth."
)
LOOK_AT_THE_PHOTOS = (
    "Look through your photos first: can you see in each of them what it shows, and is it in the right class? Then add "
    "more of each kind."
)
TRAIN_AGAIN = OneOrMany(
    one="You corrected {n} label: train again, so that the model learns it.",
    many="You corrected {n} labels: train again, so that the model learns them.",
)
CHECK_LABELS = OneOrMany(
    one="Look at {n} photo whose label may be wrong. That takes a minute and can help more than new photos.",
    many="Look at {n} photos whose labels may be wrong. That takes minutes and can help more than new photos.",
)
WEAK_AND_RARE = (
    "{label}: {n_right:,} of {n_tested:,} right. It has learned from only {n_learned:,} photos of it; about {n_more:,} "
    "more would put it level with the other kinds."
)
WEAK = (
    "{label}: {n_right:,} of {n_tested:,} right. It is the weakest kind, so more photos of it help most: "
    "about {n_more:,} more are a good start."
)
WEAK_UNCOUNTED = "{label}: {n_right:,} of {n_tested:,} right. It is the weakest kind, so more photos of it help most."
CONFUSED = (
    "{n_mixed:,} of {n_mistakes:,} mistakes mix up {one} and {other}. Add photos that show what sets them apart, or "
    "make them one kind where the difference does not matter to you."
)
LOOK_AT_MISTAKES = OneOrMany(
    one="Look at its one mistake: if the label is right, more photos like that one help.",
    many="Look at its {n:,} mistakes: where the label is right, more photos like those help.",
)
MORE_OF_ALL = "More photos of every kind help most: it has learned from about {n_of_a_class:,} of each."
TRY_ELSEWHERE = "Try it on your own photos, best on some that were taken elsewhere or on another day."
FEW_TESTED = (
    "Only {n:,} photos were tested, so the score is rough: on new photos it may be anything from {low} to {high} of "
    "100. With more photos it becomes surer."
)
SEARCH_LONGER = "The search was stopped early; with all of its time it may find a better model."

# What more photos are worth.
PHOTOS_HELP = (
    "More photos help: after half of yours a quick model was right on {half} of 100, after all of them on {whole}. "
    "With twice as many, expect about {doubled} of 100 from a model like this one."
)
PHOTOS_HARDLY_HELP = (
    "More photos of the same sort would hardly help: after half of yours a quick model was right on {half} of 100, "
    "after all of them on {whole}. Photos that differ from these may help more."
)

# The better model for its size.
TIMES_SMALLER = "{times} times smaller, {points} points less"
TIMES_SMALLER_AS_GOOD = "{times} times smaller, and as good"
