"""What the whole suite says at its end: whether the lab ran, and who was texted in it."""

from tests.lab.fixtures import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]
