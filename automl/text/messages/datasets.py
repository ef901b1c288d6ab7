"""What is said of a data set: can it be trained from, how is it split, what does the doctor find, what did edits do."""

from automl.text.one_or_many import OneOrMany

# Why a file is not used.
NOT_A_PHOTO = OneOrMany(
    one="It is not a photo, so it was not looked at.",
    many="They are not photos, so they were not looked at.",
)
IN_OTHER_CLASSES_TOO = "The same picture is also in {classes}; it is not clear which is right."
CLASS_ONLY_IN_TEST = "The class '{name}' has photos only in the test folder, so there is nothing to learn it from."
LEFT_OUT_BY_EDIT = "{title}."

# Notes on the data set as a whole.
LEFTOVERS_SKIPPED = OneOrMany(
    one="{n:,} leftover of other programs (such as .DS_Store) was skipped.",
    many="{n:,} leftovers of other programs (such as .DS_Store) were skipped.",
)
CLASSES_LOST = OneOrMany(
    one="No photo in {classes} could be used, so it is not among the classes.",
    many="No photo in {classes} could be used, so they are not among the classes.",
)
ONE_VIEW = OneOrMany(
    one=(
        "Most photos of {classes} show the same view, as from a camera that stands still. Each of them counts as a "
        "photo of its own, so that some can be tested; what the score says holds for this view."
    ),
    many=(
        "In each of the classes {classes}, most photos show the same view, as from a camera that stands still. Each of "
        "them counts as a photo of its own, so that some can be tested; what the score says holds for this view."
    ),
)
TOO_FEW_TO_COMPARE = (
    "There is only one different photo of each class to learn from, beside the test photos. That is too few to tell a "
    "good model from a bad one: scores on validation photos mean nothing here, high or low. Add photos: 10 or more "
    "photos of each class are a good start."
)

# Why nothing can be trained from the photos.
NO_USABLE_PHOTO = "There is no photo here that can be used. Make one folder for each class and put its photos in."
ONE_CLASS_ONLY = (
    "All photos are of one class, {classes}. At least two are needed: add a folder with photos of something else."
)
CLASS_TOO_SMALL = (
    "There are fewer than 2 different photos of {classes}. Add photos, or leave the class out. 10 or more photos of "
    "each class are a good start."
)
CLASS_OF_COPIES = (
    "There are fewer than 2 different photos of {classes}: copies count as one photo, also where they were resized, "
    "saved again, made brighter, cropped or mirrored. Add photos, or leave the class out. 10 or more photos of each "
    "class are a good start."
)
NOTHING_TO_TEST = (
    "No photo could be tested: each looks the same as a photo of another class, or is the only one of its kind. Add "
    "photos, or move those that are in the wrong class."
)
TEST_OF_COPIES = (
    "All test photos are near copies of training photos, and there are no others to learn from. A test with photos "
    "that are already known says nothing. Add other photos to the training folder or to the test folder."
)
ALL_IN_TEST_TOO = (
    "Every training photo of {classes} is also in the test folder, so there is nothing to learn from. Add other photos "
    "to the training folder."
)
PROBLEM_AND_FILES = "{problem} Not used: {files}"
FILE_AND_REASON = "{name}: {reason}"
MORE_FILES_NOT_USED = OneOrMany(one="And {n:,} more file.", many="And {n:,} more files.")

# The verdict on photos that a model can be trained from.
READY_BALANCED = "{photos}, {classes}, balanced, ready"
READY_UNBALANCED = "{photos}, {classes}, unbalanced ({smallest:,} to {largest:,} photos a class), ready"
READY_WITH_SMALL_CLASSES = OneOrMany(
    one="{photos}, {classes}, ready, but {n:,} class has fewer than {few} photos: expect unsure results",
    many="{photos}, {classes}, ready, but {n:,} classes have fewer than {few} photos: expect unsure results",
)

# Pieces that other sentences are filled with.

# How the photos are split.
JOINED_IN_CROSS_VALIDATION = (
    "The photos of your validation folder join the training photos in {n_folds}-fold cross-validation: each takes its "
    "turn at validation, which compares models more reliably than one small folder."
)
SINGLE_PHOTO_OF_CLASS = (
    "There is only one photo of {classes} to learn from, near copies aside: models are not compared on it."
)
COMPARED_ON_OWN_FOLDER = OneOrMany(
    one="Models are compared on the {n:,} photo of your validation folder.",
    many="Models are compared on the {n:,} photos of your validation folder.",
)
COMPARED_ON_SHARE = "Models are compared on {share} of the training photos, which they do not learn from."
COMPARED_ON_OTHER_CLIPS = (
    "Models are compared on {share} of the training photos, which they do not learn from. Your validation folder has "
    "photos of the same clips or groups as the training folder, so these are dealt out anew, as a whole."
)
COMPARED_ON_SHARE_INSTEAD = OneOrMany(
    one=(
        "Models are compared on {share} of the training photos, which they do not learn from. Your validation folder "
        "has only {n:,} photo, too few for that; it joins the others."
    ),
    many=(
        "Models are compared on {share} of the training photos, which they do not learn from. Your validation folder "
        "has only {n:,} photos, too few for that; they join the others."
    ),
)
NOTHING_TO_LEARN_OUTSIDE_TEST = "There is no photo of {classes} to learn from outside the test set. Add some."
ONLY_NEAR_COPIES_OF_TEST = (
    "All training photos of {classes} are near copies of test photos. They are learned from all the same, so the score "
    "is too optimistic. Test with photos that were taken on another occasion."
)
EVERY_PHOTO_TESTED = (
    "Every photo teaches, and every photo is tested by models that have never seen it: the photos are divided into "
    "{n_folds} parts, and for each part models learn from the others and are asked about this one. So none has to be "
    "put aside for a test."
)
CLIPS_IN_ONE_FOLD = OneOrMany(
    one="{n:,} clip or group is asked about as a whole, by models that have seen nothing of it.",
    many="{n:,} clips or groups are asked about as a whole, each by models that have seen nothing of it.",
)
FEW_PHOTOS_TESTED = OneOrMany(
    one="There is only {n:,} photo that can be tested: the score is a rough guess.",
    many="There are only {n:,} photos that can be tested: the score is a rough guess.",
)
KEPT_FOR_TEST = OneOrMany(
    one="{n:,} photo ({share}), picked at random, is kept for the final test; no model learns from it.",
    many=(
        "{n:,} photos ({share}), picked at random from every class, are kept for the final test; no model learns from "
        "them."
    ),
)
CLIPS_KEPT_FOR_TEST = OneOrMany(
    one=(
        "{photos:,} photos ({share}) are kept for the final test, those of {n:,} clip or group as a whole; no model "
        "learns from them."
    ),
    many=(
        "{photos:,} photos ({share}) are kept for the final test, those of {n:,} clips or groups as a whole; no model "
        "learns from them."
    ),
)
CLIPS_ON_BOTH_SIDES = OneOrMany(
    one=(
        "Photos of {n:,} clip or group are in the test folder and among the training photos, too: the score may be too "
        "optimistic for photos of a new one."
    ),
    many=(
        "Photos of {n:,} clips or groups are in the test folder and among the training photos, too: the score may be "
        "too optimistic for photos of a new one."
    ),
)
CLIPS_NOT_KEPT = (
    "All photos of {classes} are of one group, so with whole groups there would be nothing to test with. They are "
    "dealt out photo by photo, and the score is too optimistic for photos of a new group."
)
CLIP_CUT_INTO_BLOCKS = OneOrMany(
    one=(
        "Nearly all photos of {classes} are frames of one clip. It is cut into blocks of time, some of which are kept "
        "for the test; {n:,} frame between the blocks is left out. The score holds for this scene only."
    ),
    many=(
        "Nearly all photos of {classes} are frames of one clip. It is cut into blocks of time, some of which are kept "
        "for the test; {n:,} frames between the blocks are left out. The score holds for this scene only."
    ),
)
CLIP_TESTED_IN_BLOCKS = OneOrMany(
    one=(
        "Nearly all photos of {classes} are frames of one clip. It is cut into blocks of time, each of which is tested "
        "by models that learned from the others; {n:,} frame between the blocks is left out. The score holds for this "
        "scene only."
    ),
    many=(
        "Nearly all photos of {classes} are frames of one clip. It is cut into blocks of time, each of which is tested "
        "by models that learned from the others; {n:,} frames between the blocks are left out. The score holds for "
        "this scene only."
    ),
)
COMPARED_ON_PARTS_OF_A_CLIP = (
    "There is only one clip of {classes} to learn from: models are compared on parts of it, which tells little about "
    "other clips."
)
COMPARED_ON_PARTS_OF_A_GROUP = (
    "There is only one group of {classes} to learn from: models are compared on single photos of it, which tells "
    "little about other groups."
)
COPIES_OF_TEST_LEFT_OUT = OneOrMany(
    one="{n:,} photo is a copy of a test photo and left out of training, so that the score stays honest.",
    many="{n:,} photos are copies of test photos and left out of training, so that the score stays honest.",
)
JOINED_THE_TEST = OneOrMany(
    one=(
        "{n:,} photo that earlier runs have learned from turns out to belong together with a test photo, as a copy of "
        "it or in one clip. It is left out of learning, so that the test stays the same and the score honest."
    ),
    many=(
        "{n:,} photos that earlier runs have learned from turn out to belong together with test photos, as copies of "
        "them or in one clip. They are left out of learning, so that the test stays the same and the score honest."
    ),
)
TEST_PHOTOS_IN_DOUBT = OneOrMany(
    one=(
        "{n:,} photo belongs to the test, but the same picture has two labels now. It is neither asked about nor "
        "learned from until one of them is corrected."
    ),
    many=(
        "{n:,} photos belong to the test, but the same picture has two labels now. They are neither asked about nor "
        "learned from until one of them is corrected."
    ),
)
DEALT_AGAIN = (
    "The photos of {classes} were dealt out anew between learning and the test: with the sides that they had in "
    "earlier runs, too few would be left to learn from or to test with."
)
TEST_FOLDER_LACKS = "The test folder has no photo of {classes}: the score says nothing about that."
TEST_LACKS = (
    "There are too few different photos, so the test has no photo of {classes}: the score says nothing about that."
)
SMALL_TEST = OneOrMany(
    one="The final test has only {n:,} photo: its score is a rough guess.",
    many="The final test has only {n:,} photos: its score is a rough guess.",
)

# What edits did, in the list of what can be undone.
LEFT_OUT = OneOrMany(one="Left out {n:,} photo", many="Left out {n:,} photos")
NONE_OF_THESE_LEFT_OUT = OneOrMany(
    one="Left out {n:,} photo that shows none of the classes",
    many="Left out {n:,} photos that show none of the classes",
)
PUT_BACK = OneOrMany(one="Put {n:,} photo back", many="Put {n:,} photos back")
MOVED = OneOrMany(one="Moved {n:,} photo to '{to}'", many="Moved {n:,} photos to '{to}'")
RENAMED = "Renamed '{old}' to '{new}'"
PUT_INTO_PART = OneOrMany(one="Put {n:,} photo into {part}", many="Put {n:,} photos into {part}")
PUT_INTO_NO_PART = OneOrMany(
    one="Put {n:,} photo into no particular part", many="Put {n:,} photos into no particular part"
)
READ_FROM_ELSEWHERE = "Read the classes from elsewhere"
READING_LEFT_TO_DARKROOM = "Let Darkroom find the classes"
SPELLINGS_JOINED = "Joined classes that differ only in spelling"
SPELLINGS_KEPT_APART = "Kept apart classes that differ only in spelling"
CLIPS_KEPT = "Kept the photos of a clip or group together"
CLIPS_DEALT_OUT = "Treated the photos of clips and groups as separate photos"
LABELS_TRUSTED = "Kept photos that look the same in different classes"
LABELS_DOUBTED = "Looked again for the same photos in different classes"

# Edits that cannot be made.
NO_FILES_CHOSEN = "Tick some photos first. (In the API, `files` is a list of their numbers.)"
BAD_CLASS_NAME = "The name of a class must have 1 to {most} characters, and no slash."
NO_CLASS_TO_RENAME = "Say which class to rename: `from` must be its name."
NO_SUCH_PART = "The part must be one of {known}, or empty to let Darkroom choose."
NO_SUCH_READING = "The reading must be one of {known}, or empty to let Darkroom choose."
JOIN_IS_NO_SWITCH = "`join` must be true or false."
TRUST_IS_NO_SWITCH = "`trust` must be true or false."
KEEP_IS_NO_SWITCH = "`keep` must be true or false."
NO_SUCH_EDIT = "There is no edit called {kind!r}. Known: {known}."

# The doctor on files that cannot be used.
UNUSABLE_FILES = OneOrMany(one="{n:,} file cannot be used", many="{n:,} files cannot be used")
UNUSABLE_FILES_MEAN = OneOrMany(one="{reason} It is left out already.", many="{reason} They are left out already.")
OTHER_REASONS = "Each has a reason of its own; the list of files says which."

# The doctor on copies.
LEAVE_ALL_OUT = "Leave all of them out"
TWO_LABELS = OneOrMany(one="{n:,} picture in more than one class", many="{n:,} pictures in more than one class")
TWO_LABELS_MEANS = (
    "The very same picture is in {classes}, and it is not clear which is right. A model cannot learn from it. Say "
    "what it is, or leave it out."
)
TWO_LABELS_LEFT_OUT = OneOrMany(
    one="Left out {n:,} photo that lay in two classes", many="Left out {n:,} photos that lay in two classes"
)
NEAR_TWO_LABELS = OneOrMany(
    one="{n:,} picture has near copies in another class", many="{n:,} pictures have near copies in another class"
)
NEAR_TWO_LABELS_MEANS = (
    "The same shot, saved again, lies in different classes. If that is a mistake, the model learns something wrong "
    "from it: look at these photos, and say what they are."
)
NEAR_TWO_LABELS_LEFT_OUT = OneOrMany(
    one="Left out {n:,} near copy in two classes", many="Left out {n:,} near copies in two classes"
)
SAME_ACROSS_CLASSES = OneOrMany(
    one="{n:,} photo looks the same as a photo of another class",
    many="{n:,} photos look the same as photos of another class",
)
SAME_ACROSS_CLASSES_MEANS = (
    "Is a small difference just what your classes are about, such as a lamp that is on or off? Then say that they are "
    "right as they are. Did the same photos get into two classes by mistake? Then leave them out, or move them to the "
    "right class. Until you say so, all of them are used."
)
RIGHT_AS_THEY_ARE = "They are right as they are"
SAME_ACROSS_CLASSES_LEFT_OUT = OneOrMany(
    one="Left out {n:,} photo that looks the same as one of another class",
    many="Left out {n:,} photos that look the same as some of another class",
)
TEST_COPIES = OneOrMany(
    one="{n:,} training photo is a copy of a test photo", many="{n:,} training photos are copies of test photos"
)
TEST_COPIES_MEAN = (
    "A test with the very same photos as the training only shows what was memorised. Training skips them, so that the "
    "score stays honest."
)
TEST_COPIES_LEFT_OUT = OneOrMany(one="Left out {n:,} training copy", many="Left out {n:,} training copies")
TEST_NEAR_COPIES = OneOrMany(
    one="{n:,} training photo is a near copy of a test photo",
    many="{n:,} training photos are near copies of test photos",
)
TEST_NEAR_COPIES_MEAN = (
    "A test with almost the same photos as the training only shows what was memorised. Training skips them, so that "
    "the score stays honest."
)
TEST_NEAR_COPIES_PARTLY_SKIPPED = (
    "A test with almost the same photos as the training only shows what was memorised. Training skips {n:,} of them. "
    "{others}"
)
TEST_NEAR_COPIES_LEFT_OUT = OneOrMany(
    one="Left out {n:,} training near copy", many="Left out {n:,} training near copies"
)
LEAVE_TRAINING_COPIES_OUT = "Leave out the training copies"
DUPLICATES = OneOrMany(one="{n:,} photo is an exact copy of another", many="{n:,} photos are exact copies of another")
DUPLICATES_MEAN = (
    "Copies teach nothing new, and what they show counts for more than it should. They are kept on one side of the "
    "split, so that the score stays honest."
)
KEEP_ONE_OF_EACH = "Keep one of each"
DUPLICATES_LEFT_OUT = OneOrMany(one="Left out {n:,} exact copy", many="Left out {n:,} exact copies")
NEAR_COPIES = OneOrMany(
    one="{n:,} picture is stored more than once, almost the same",
    many="{n:,} pictures are stored more than once, almost the same",
)
NEAR_COPIES_MEAN = (
    "These may be a burst, frames of a video, or one picture in several sizes. They are kept on one side of the split, "
    "so that the score stays honest, but they teach hardly more than one photo each."
)
KEEP_LARGEST_OF_EACH = "Keep the largest of each"
NEAR_COPIES_LEFT_OUT = OneOrMany(one="Left out {n:,} near copy", many="Left out {n:,} near copies")

# The doctor on clips and groups.
CLIPS = OneOrMany(
    one="{n:,} clip of {frames:,} frames; it is learned from or tested as a whole",
    many="{n:,} clips of about {frames:,} frames each; each is learned from or tested as a whole",
)
CLIPS_BESIDE_TEST = OneOrMany(
    one="{n:,} clip of {frames:,} frames; they stay together when models are compared",
    many="{n:,} clips of about {frames:,} frames each; those of a clip stay together when models are compared",
)
CLIPS_BESIDE_TEST_MEAN = (
    "These look like frames of a video, a burst, or one thing from all sides: neighbours are far more alike than other "
    "photos of their class. Your test folder stays as it is. Where it has frames of a clip that is learned from, too, "
    "the score is too optimistic for a new clip. What the score promises is counted in clips, not in photos."
)
CLIPS_MEAN = (
    "These look like frames of a video, a burst, or one thing from all sides: neighbours are far more alike than other "
    "photos of their class. A test with frames of a clip that was learned from would only show what was memorised. So "
    "whole clips are learned from or tested with, and what the score promises is counted in clips, not in photos."
)
ONE_CLIP = "Nearly all photos of {classes} are frames of one clip"
ONE_CLIP_MEANS = (
    "Hardly anything else is there to test with. So it is cut into blocks of time, each of which is learned from or "
    "tested as a whole, and the frames between the blocks are left out. The score holds for this scene only: what the "
    "model does elsewhere, it cannot say. Add photos that were taken on other occasions."
)
NAMED_GROUPS = OneOrMany(
    one="Your folders or table put the photos into {n:,} group: {names}",
    many="Your folders or table put the photos into {n:,} groups: {names}",
)
NAMED_GROUPS_MEAN = (
    "Such groups are sites, patients, dates or cameras. Each is learned from or tested as a whole, so that the score "
    "says how good the model is on photos of a new one."
)
DEAL_CLIPS_OUT = "These are separate photos"

# The doctor on photos one by one.
LABELS_CONFIRMED = OneOrMany(
    one="Said that the label of {n:,} photo is right", many="Said that the labels of {n:,} photos are right"
)
LEAVE_THEM_OUT = "Leave them out"
HARMLESS_LEFT_OUT = OneOrMany(
    one="Left out {n:,} exact copy or photo that shows nothing",
    many="Left out {n:,} exact copies and photos that show nothing",
)
SMALL_PHOTOS = OneOrMany(
    one="{n:,} photo is very small (less than {side} pixels)",
    many="{n:,} photos are very small (less than {side} pixels)",
)
SMALL_PHOTOS_MEAN = "There is hardly anything to see in so few pixels, either for you or for the model."
SMALL_PHOTOS_LEFT_OUT = OneOrMany(one="Left out {n:,} very small photo", many="Left out {n:,} very small photos")
BLANK_PHOTOS = OneOrMany(one="{n:,} photo is blank", many="{n:,} photos are blank")
BLANK_PHOTOS_MEAN = "A picture of one colour shows nothing of its class. The model learns to guess from it."
BLANK_PHOTOS_LEFT_OUT = OneOrMany(one="Left out {n:,} blank photo", many="Left out {n:,} blank photos")
LONG_PHOTOS = OneOrMany(
    one="{n:,} photo is very long or very tall ({aspect}:1 or more)",
    many="{n:,} photos are very long or very tall ({aspect}:1 or more)",
)
LONG_PHOTOS_MEAN = (
    "The model sees every photo as a square, so what is in these is squeezed out of shape or small. Crop them to what "
    "matters, or leave them out."
)
LONG_PHOTOS_LEFT_OUT = OneOrMany(one="Left out {n:,} very long photo", many="Left out {n:,} very long photos")
OTHER_ENDINGS = OneOrMany(
    one="{n:,} photo has the ending of another format", many="{n:,} photos have the ending of another format"
)
OTHER_ENDINGS_MEAN = "One ends in {suffix} but is {format} inside. It does no harm: photos are read by their contents."

# The doctor on the classes as a whole.
TINY_CLASSES = OneOrMany(
    one="{n:,} class has too few different photos: {classes}",
    many="{n:,} classes have too few different photos: {classes}",
)
TINY_CLASSES_MEAN = (
    "Fewer than {few} different photos teach the model little, and its score for them is a guess. Add photos; near "
    "copies count as one."
)
LEAVE_CLASSES_OUT = "Leave {classes} out"
CLASSES_LEFT_OUT = "Left out {classes}"
UNBALANCED = "'{large}' has {n_large:,} photos, '{small}' only {n_small:,}"
UNBALANCED_MEANS = (
    "A model gets a good score by giving nearly every photo the larger class. So balanced accuracy, in which every "
    "class counts the same, is the better measure here; more photos of the small class help."
)
KEEP_AT_MOST = "Keep at most {n:,} photos of a class"
LARGE_CLASSES_CUT = OneOrMany(
    one="Left out {n:,} photo of large classes", many="Left out {n:,} photos of large classes"
)
GRAY_AND_COLOURED = OneOrMany(
    one="{n:,} photo is gray, {n_coloured:,} in colour", many="{n:,} photos are gray, {n_coloured:,} in colour"
)
GRAY_UNEVENLY = (
    "In '{most}' {most_percent:.0f} % are gray, in '{least}' {least_percent:.0f} %. The model may learn the colour "
    "instead of the thing, and then be wrong on new photos. Have both kinds in every class."
)
GRAY_EVENLY = (
    "The model sees both kinds in every class, so this does little harm. If your new photos will all be of one kind, "
    "leave out the other."
)
LEAVE_GRAY_OUT = "Leave out the gray ones"
GRAY_LEFT_OUT = OneOrMany(one="Left out {n:,} gray photo", many="Left out {n:,} gray photos")
LEAVE_COLOURED_OUT = "Leave out the coloured ones"
COLOURED_LEFT_OUT = OneOrMany(one="Left out {n:,} coloured photo", many="Left out {n:,} coloured photos")
TWO_SPELLINGS = "'{other}' and '{main}' are two classes"
SPELLINGS = OneOrMany(
    one="{n:,} pair of class names is nearly the same", many="{n:,} pairs of class names are nearly the same"
)
TWO_SPELLINGS_MEAN = (
    "Their names are nearly the same. If they mean the same thing, the model tries to tell apart what is the same, and "
    "the score suffers."
)
MAKE_ONE_CLASS = "Make them one: '{main}'"
MADE_ONE_CLASS = "Joined '{other}' with '{main}'"
NAMES_JOINED = OneOrMany(
    one="{n:,} class name was joined with another spelling of the same",
    many="{n:,} class names were joined with another spelling of the same",
)

# What only a run finds.
DOUBTED_LABELS = OneOrMany(one="{n:,} photo may have the wrong label", many="{n:,} photos may have the wrong label")
DOUBTED_LABELS_MEAN = (
    "Models that had not seen these photos were sure that they show something else. Look at them: a wrong label "
    "teaches the wrong thing. Some labels are right, and the photos are just hard."
)
LEAVE_DOUBTED_OUT = "Leave them all out"
DOUBTED_LEFT_OUT = OneOrMany(
    one="Left out {n:,} photo with a doubtful label", many="Left out {n:,} photos with a doubtful label"
)
LOOK_ALIKES = OneOrMany(
    one="{n:,} pair of photos look like parts of each other", many="{n:,} pairs of photos look like parts of each other"
)
LOOK_ALIKES_MEAN = (
    "They may be crops of one photo, or the same thing taken twice. Where one is learned from and the other is in the "
    "test, the score is too optimistic."
)
LOOK_ALIKES_LEFT_OUT = OneOrMany(
    one="Left out one photo of {n:,} pair that look alike", many="Left out one photo of {n:,} pairs that look alike"
)
