"""A folder or an archive on this machine becomes a verified data set."""
