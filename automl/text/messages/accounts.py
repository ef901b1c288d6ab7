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

# `automl admin`, and what `scripts/serve` says where others can reach it.
ADMIN_HELP = "accounts: make, list, disable, and links for forgotten passwords"
ADMIN_ACTION_HELP = "what to do"
EMAIL_HELP = "the address that the account signs in with"
NAME_HELP = "what others read"
ROLE_HELP = "what the account may do; default: administrator"
FILE_HELP = "a file with the password in its first line, - for standard input; default: it is asked for"
PROMPT = "Password:"
AGAIN_PROMPT = "Once more:"
NEEDS_EMAIL = "Say for which account: --email NAME@EXAMPLE.ORG"
NO_ACCOUNT_WITH = "Nobody has the address {email}."
ACCOUNT_MADE = "{email} can sign in now ({role})."
ACCOUNT_DISABLED = "{email} is signed out everywhere and cannot sign in any more."
ACCOUNT_ENABLED = "{email} can sign in again."
COLUMN_EMAIL = "e-mail"
COLUMN_NAME = "name"
COLUMN_ROLE = "role"
COLUMN_STATE = "state"
DISABLED = "disabled"
ACTIVE = "active"
ADDRESS_OF_LINK = "{address}\nThis link works once, for a day. Whoever opens it signs in."
IS_SET_UP = "This server has an administrator already. A forgotten password: automl admin reset-password --email ..."

# Signing in with an OpenID provider.
OPENID_NEEDS = "DARKROOM_OPENID_ISSUER needs DARKROOM_OPENID_CLIENT_ID and DARKROOM_PUBLIC_URL, too."
OPENID_NOT_SAFE = (
    "DARKROOM_OPENID_ISSUER must begin with https://, since whoever can change what the provider answers can sign in "
    "as anybody. {issuer} does not."
)
PROVIDER_TITLE = "Signing in did not work"
PROVIDER_AWAY = (
    "{title} does not answer, or not as it should, so nobody can sign in there at the moment. Wait a moment and try "
    "again; if it stays so, tell the person who runs this server."
)
PROVIDER_REFUSED = "{title} did not sign you in, or you stopped on the way. Try again."
NOT_PROVEN = (
    "What came back from {title} does not belong to this browser, or is too old. Begin again from the page for signing "
    "in."
)
ADDRESS_NOT_VERIFIED = (
    "{title} does not vouch for your e-mail address, so this server cannot tell which account is yours. Verify your "
    "address there, or ask the person who runs this server."
)
NOT_INVITED = (
    "Nobody with the address {email} has an account here. Ask the person who runs this server to make one for you."
)
ADDRESS_OF_ANOTHER = (
    "The address {email} belongs to an account of somebody else by now. Ask the person who runs this server."
)
ACCOUNT_IS_DISABLED = "This account cannot sign in any more. Ask the person who runs this server."
NOTHING_TO_CHANGE = "You sign in without a password here, so there is none to change."
TYPE_YOUR_ADDRESS = "Type the address of your account, so that nobody does this by accident."
NO_ADMINISTRATOR_YET = "This server is not set up yet. Its first administrator needs a password."

# Sharing.
NOBODY_WITH_ADDRESS = "Nobody who can sign in here has this address. An administrator can invite people."
OWNER_ALREADY = "These photos belong to this person already."
TOO_MANY_SHARES = "Up to {most} people can see the same photos. Take somebody else out first."
