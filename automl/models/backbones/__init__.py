"""The networks of the backbones; what is known of each of them is in `automl.backbone_table`."""
