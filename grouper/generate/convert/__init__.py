"""Rules from other tools' configurations: one file for each system, and a table of them.

A configuration is read as data and never run. It becomes tables of cases (`Table`), which are
written as splits. A model, where one is given, decides what the configuration alone leaves open.
"""
