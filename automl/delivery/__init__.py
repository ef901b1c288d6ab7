"""What a person gets: models in several formats, each proven, the bundle and its documents."""
