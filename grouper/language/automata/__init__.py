"""Selectors as finite automata over names, to answer what holds for the names of every model.

A name here is segments of printable characters separated by dots; numbers have any length.
"""
