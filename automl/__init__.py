"""Darkroom's library: a folder of labelled photographs goes in, a trained image classifier comes out."""
