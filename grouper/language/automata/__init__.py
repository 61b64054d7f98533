"""Selectors as automata over names: what holds of the names of every model.

A name here is segments of printable characters with dots between; numbers have any length.
"""
