"""Rules from other tools' configurations: a file for each system, and a table of them.

A configuration is read as data and never run. What it says becomes tables of cases (`Table`), which
print themselves as splits; a model, where one is given, settles what only a model can tell.
"""
