"""What users call: text to rules, rules and a model to a report, a report to training.

`grouper.checks.pipeline` is the whole way to the report, step by step.
"""
