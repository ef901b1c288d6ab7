"""Training of backbones from the best heads."""
