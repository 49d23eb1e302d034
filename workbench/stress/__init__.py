"""Stress tests that need the whole house: real engines and devices, broken on purpose, by `workbench stress`."""
