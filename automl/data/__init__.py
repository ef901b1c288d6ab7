"""From files of any kind to a verified, split data set. The web server imports this: no heavy packages here."""
