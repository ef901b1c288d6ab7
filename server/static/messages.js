// Everything that the scripts say to people, whole and with named placeholders, so that it can be translated here alone.
// Where a number decides the words, `one` is said of one thing and `many` of none and of several. A test checks that
// each message is whole and is used. What the server says comes from its own catalogue, automl/text/messages.

const MESSAGES = {
  // Amounts; the same words as in automl/text/messages/pieces.py.
  hours: { one: "{n} hour", many: "{n} hours" },
  minutes: { one: "{n} minute", many: "{n} minutes" },
  seconds: { one: "{n} second", many: "{n} seconds" },
  bytes: { one: "{n} byte", many: "{n} bytes" },

  // Choosing and uploading photos.
  folderUnreadable: "Your browser could not read this folder. Try “Choose a folder” instead.",
  folderEmpty: "This folder is empty. Choose one that has a folder of photos for each kind.",
  tooManyToAnswer: "Up to {most} photos can be answered at a time. Choose fewer.",
  tooManyFiles: "These are {n} files; up to {most} are possible. Leave some out.",
  tooManyBytes: "These are {size}; up to {most} are possible. Leave some out, or shrink them.",
  fileTooLarge: "“{path}” is larger than {most}, the most for one file.",
  onlyOneFolder:
    "All these photos are in one folder, so there is nothing to tell apart. Make a folder for each kind, named after it, put them into one folder, and choose that one.",
  unnamedPhotos: "Photos",
  addingToClass: "Adding photos to “{label}”",
  uploading: "Uploading “{name}”",
  arrived: { one: "{files} of {n} file, {bytes} of {all}", many: "{files} of {n} files, {bytes} of {all}" },
  percentUploaded: "{n} percent uploaded",
  everythingArrived: "Everything has arrived.",
  uploadStopped: "The upload is stopped. What has arrived is kept.",
  lookingForArrived: "Looking for what has arrived before…",
  fileGone:
    "“{path}” can no longer be read: it was moved, changed or deleted, or its disk is gone. Bring it back and go on; if it was changed, choose everything again. What has arrived is kept.",
  someFileGone:
    "A file can no longer be read: it was moved, changed or deleted, or its disk is gone. Bring it back and go on; if it was changed, choose everything again. What has arrived is kept.",
  tryingAgain: {
    one: "The connection was lost. Trying again in a second…",
    many: "The connection was lost. Trying again in {n} seconds…",
  },
  serverUnreachable: "The server cannot be reached. What has arrived is kept.",
  serverError: "The server answered with error {status}. What has arrived is kept.",

  // The photos of a class.
  ticked: "{n} ticked",

  // One photo, large.
  photoPlace: "{place} of {all}",
  photoSilent: "The server does not say more about this photo. Close it and try again.",

  // A live run.
  bestSoFar: "Best so far: {score}.",
  firstScore: "The first score: {score} on photos it had not learned from.",
  partOfTheWay: "{n} % of the way.",
  triedLast: "Tried last: {tried}",
  triesSoFar: { one: "{n} try so far", many: "{n} tries so far" },
  aboutLeft: "about {time} left",
  leftOf: "{time} left of {budget}",
  afterEpoch: "After epoch {epoch}: {score} % right, loss {loss}.",
  scoreAfterEpoch: "After epoch {epoch}: {score} % right.",
  lossAfterEpoch: "After epoch {epoch}: loss {loss}.",
  chartBest: "best so far",
  chartTry: "a try",
  chartScore: "score",
  chartLoss: "loss",
  fetchingTries: "Fetching the list…",
  triesNotFetched: "The list could not be fetched. Close this part and open it again to try once more.",
  willTell: "This browser will tell you, as long as this page stays open in a tab.",
  notificationsNeedSafety: "Browsers show notifications only for pages with a safe address (https or localhost); this page has none.",
  noNotifications: "This browser cannot show notifications from web pages.",
  notificationsRefused: "Notifications are not allowed for this page. Your browser's settings for it can allow them.",

  // The start form.
  changed: "Changed: {titles}",

  // Trying a model on a few photos.
  noPicturePasted: "There is no picture in what you pasted. Copy a picture first, then press Ctrl+V.",
  noPhotoInThis: "There is no photo in this.",
  lookingAt: "Looking at {path}…",
  answered: "{path}: {words}",
  waitingForTurn: "Waiting for its turn…",
  lookingAtIt: "Looking at it…",
  photoGone: "This photo was moved or changed after you chose it. Choose it again.",
  serverSilent: "The server does not answer. Check whether you are still connected, then try again.",
  serverCouldNot: "The server could not answer.",
  refused: "✕ {reason}",
  looking: "Looking…",
  heatMap: "Bright areas supported its answer (heat map).",
  noHeatMap: "This model cannot show what it looked at.",
  serverSilentAgain: "The server does not answer. Try again.",
  nothingStored: "Nothing was stored.",
  noneOfThese:
    "Nothing was stored: a photo that shows none of these teaches the model nothing. If it shows one of them after all, choose that.",
  storing: "Storing…",
  stored: "Stored as “{label}”. It counts from the next run on; the photos are being checked again now.",
  storedUnchecked:
    "Stored as “{label}”. It counts from the next run on; the check of the photos could not be started now. Start it later on their page, with “Check these photos”.",
  openPhotos: "Open the page of the photos",
  notStoredSilent: "The server does not answer. Nothing was stored; try again.",
  waitingForCheck: "Waiting until the other photos are checked…",
  stillChecking: "The photos are still being checked. Try again when that is done.",
  cameraNeedsSafety: "Browsers allow the camera only on pages with a safe address (https or localhost); this page has none.",
  cameraRefused: "The camera was not allowed. Your browser's settings for this page can allow it.",
  noCamera: "No camera was found.",
  noCameraPicture: "The camera gave no picture.",

  // Taking photos with the camera.
  shotsCameraBlocked:
    "Your browser does not let this page use the camera. Click the sign at the left end of the address line, allow the camera, and turn it on here again. You can also choose photos below.",
  shotsNoCamera:
    "No camera was found. Connect one and try again, or open this page on a phone. You can also choose photos below.",
  shotsCameraBusy: "The camera gives no picture; perhaps another program is using it. Close that program, and try again.",
  shotsCameraEnded: "The camera has stopped. Your photos are still here; turn it on again to take more.",
  shotsCameraUnsafe:
    "Browsers lend the camera only to pages with a safe address: one that begins with https, or the computer itself. So this page takes single photos here, with the camera of your phone. Started with “scripts/serve --lan”, the server has a safe address, too.",
  shotsUnreadable: "“{path}” cannot be read as a photo. Take or choose another one.",
  shotsUnnamed: "a kind without a name",
  shotsOfKind: "of {label}",
  shotsCount: { one: "{n} photo, in {series} series", many: "{n} photos, in {series} series" },
  shotsSeries: { one: "Series {number}: {n} photo", many: "Series {number}: {n} photos" },
  shotsDelete: "Delete photo {place} of series {number}",
  shotsDeleteSeries: { one: "Delete this photo", many: "Delete these {n}" },
  shotsPutBack: { one: "Put the deleted photo back", many: "Put {n} deleted photos back" },
  shotsNone: "No photo is waiting to be sent.",
  shotsAll: { one: "{n} photo is waiting to be sent.", many: "{n} photos are waiting to be sent." },
  shotsArrived: { one: "{arrived} of {n} photo has arrived.", many: "{arrived} of {n} photos have arrived." },
  shotsNotSent: "{problem} Your photos are still on this page: press the button again to go on where it stopped.",
  shotsNameMissing: "Some photos have no name yet. Write what they show.",
  shotsNameWithSlash: "A name cannot have “/” or “\\” in it.",
  shotsNameTwice: "Two kinds are called “{label}”. Give one of them another name.",
  shotsOneKind: "There is only one kind, so there is nothing to tell apart. Take photos of a second kind.",
  hintDark: "These photos are dark. Turn on a light, or go to a window.",
  hintBlurred: "These photos are blurred. Hold still, move more slowly, or go a little farther away.",
  hintAlike: "These photos are nearly all the same. Move it while you hold the button: turn it, bring it closer, take it farther away.",
  hintOneSeries:
    "What is taken in one go is learned from or tested as a whole. So let go, change the light or the background, and take another series.",
  hintBackground: "All series have about the same background. Take one in front of another, so that it is not learned instead.",
  hintFew: { one: "{n} photo so far. About 30 are a good start.", many: "{n} photos so far. About 30 are a good start." },
  hintEnough: "Good. Different light, backgrounds and distances still help.",

  // Sorting many photos with a model.
  waitForBatch: "Wait until these photos are done, or stop them.",
  noPicture: "Not a picture, judging by its name.",
  tooLarge: "The file is too large.",
  batchProgress: { one: "{done} of {n} photo", many: "{done} of {n} photos" },
  starting: "Starting…",
  sortedAll: { one: "Done: {n} photo is sorted.", many: "Done: {n} photos are sorted." },
  sortingStopped: "Stopped. What has arrived is sorted and kept.",
  leftOut: { one: "{n} file was left out", many: "{n} files were left out" },
  fileAndReason: "{path}: {reason}",
  verdictNotSaved: "The last choice could not be saved. Check whether you are still connected, then choose it once more.",
  lookedAt: "✓ looked at",
  correctedNow: "✓ corrected",

  // The page that runs a model on the visitor's own device.
  phoneReady: "Ready. Use the camera, or choose a photo.",
  phoneNotLoaded: "The model could not be loaded. Check whether you are connected, then load this page again.",
  phoneTooNew: "A newer Darkroom has made this model. Open the page again with that one.",
  phoneOffline: "Kept on this device: the page works without a network from now on.",
  phoneOnline: "This browser does not keep the page; it needs its server whenever it is opened.",
  phoneSays: "It says {label}, {percent} % sure.",
  phoneUnsure: "Not sure. Perhaps {label} ({percent} %).",
  phoneForeign: "This looks like nothing it has learned.",
  phoneHeat: "Bright areas speak for {label}, dark ones little or not at all (heat map).",
  notSure: "Not sure",
  percent: "{percent} %",
  phoneUnknownKind: "No photo that it can read. JPEG, PNG, WebP, GIF and BMP are possible.",
  phoneNoTiff: "Browsers cannot read TIFF. Save the photo as JPEG or PNG.",
  phoneDeep: "A browser would lose half of the 16 bits of this PNG. Use predict.py from the download for it, or save it with 8 bits.",
  phonePrint: "This JPEG has the colours of a print (CMYK), which browsers show differently. Save it in RGB.",
  phoneDamaged: "This photo is damaged or too large: your browser cannot read it.",
  phoneAllClear: "All of this picture is transparent, so a browser sees nothing of it.",
};

/** The message of this name with these values in it; numbers as people read them, and `n` decides on one or many. */
export function say(name, values = {}) {
  const message = MESSAGES[name];
  const text = typeof message === "string" ? message : values.n === 1 ? message.one : message.many;
  return text.replace(/\{(\w+)\}/g, (_, key) => (typeof values[key] === "number" ? values[key].toLocaleString("en") : values[key]));
}
