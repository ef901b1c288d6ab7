"""Backbones, their pretrained weights, frozen features, heads and fine-tuning."""
