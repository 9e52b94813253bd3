"""The simulator: the real engine under generated users, beside an auditor that predicts it.

A seed is a whole history: who comes, which faults there are and how often, what is asked when.
The auditor (`auditor`, `oracle`) has dictionaries and fractions and no code of the engine's; it
must foretell every reply, balance and debt. What it does not foretell, or what a law forbids
(`laws`), ends the run; the commands that led there are shrunk to the few that matter.
"""
