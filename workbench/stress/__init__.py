"""Stress tests, by `workbench stress`: real engines and devices broken on purpose, bad input for every command."""
