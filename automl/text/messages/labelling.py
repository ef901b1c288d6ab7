"""How the classes were read from folders, names of files or a table, and how else they could be read."""

OTHER_LAYOUT = "With --layout {layout}, it would be: {words}"
