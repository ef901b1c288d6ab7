"""Bursts: photos that the camera page took while its button was held. Their names say so.

The page writes the names, `server/static/camera-shots.js`; a test holds both to one form. Names last: they are in the
database, in a folder that somebody downloads, and on the command line. So what was one burst stays one.
"""

import re

_FRAME = re.compile(r"(?:^|[/\\])camera-(\d{8}-\d{6}-[0-9a-f]{8})-\d+[^/\\]*$", re.IGNORECASE)


def burst_of(name: str) -> str:
    """The burst that a photo of this name was taken in, such as `20261201-094500-0f3a9c1e`; else an empty text.

    Args:
        name: A path as its user has given it; what a program adds to the name of a copy, ` (2)`, is overlooked.
    """
    found = _FRAME.search(name)
    return found[1].lower() if found else ""
