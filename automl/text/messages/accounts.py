"""What is said of accounts, passwords and signing in."""

NO_EMAIL = "This is no e-mail address. It looks like name@example.org."
EMAIL_TAKEN = "Somebody with the address {email} has an account already."
NAME_TOO_LONG = "The name may have up to {most} characters."
NO_ACCOUNT = "There is no such account. It may have been deleted."
TOO_SHORT = "A password needs at least {least} characters. A few words in a row are easy to remember."
TOO_LONG = "A password may have up to {most} characters."
GUESSED_SOON = (
    "Others would guess this password soon. Take another one: a few words in a row are easy to remember and hard to "
    "guess."
)
NOT_THE_SAME_TWICE = "The two passwords are not the same. Type them once more."
LAST_ADMINISTRATOR = "This is the last administrator. Make somebody else one first."
LINK_USED = "This link works once, and it was used, its time is up, or a part of it is missing. Ask for a new one."
NOT_TOGETHER = "This address and this password do not belong together. Try again."
NOT_THE_PRESENT_ONE = "This is not your present password."
SIGN_IN_FIRST = "Sign in first. Programs send a token: see the page for programmers."
SIGN_IN_TITLE = "Sign in first"
NOT_PERMITTED_TITLE = "Not with this account"
NOT_PERMITTED = "Your account may not do this. An administrator of this server can change that."
UNKNOWN_BROWSER = "A browser"
SETUP_LINK = "Nobody administers this server yet. Open {address} to begin; this link works once, for a day."

# Sharing.
NOBODY_WITH_ADDRESS = "Nobody who can sign in here has this address. An administrator can invite people."
OWNER_ALREADY = "These photos belong to this person already."
TOO_MANY_SHARES = "Up to {most} people can see the same photos. Take somebody else out first."
