"""The honest score of the winner, its calibration, and why it is right or wrong."""
