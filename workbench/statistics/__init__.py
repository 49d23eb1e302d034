"""Comparisons of the arms of a trial, and what their printed results rest on."""
