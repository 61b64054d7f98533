"""What users call: text to rules, rules and a model to a report, a report to training.

`grouper.checks.pipeline` is all of it up to the report, in the order in which it happens.
"""
