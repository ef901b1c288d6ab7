"""What is said of tokens, of other people's accounts, and of what was done on this server."""

NEEDS_PURPOSE = "Say what the token is for, in up to {most} characters."
BAD_DAYS = "A token works for 1 to {most} days."
TOO_MANY_TOKENS = "Up to {most} tokens can be there at a time. Revoke one that is not needed any more."
NO_SUCH_CHOICE = "This is not offered. Go back and choose again."
OUT_OF_SCOPE = "This token may not do this. Make another one on the page of your account."
WHO_ARE_YOU = (
    "This server asks who you are. Make a token on the page of your account there, and set DARKROOM_TOKEN to it."
)
TOO_MANY_WRONG = "The password was wrong too often. Try again in a quarter of an hour."
TOO_MANY_ATTEMPTS = (
    "Somebody has tried too often to sign in with this address. Try again in a quarter of an hour, or ask the person "
    "who runs this server for a link."
)
