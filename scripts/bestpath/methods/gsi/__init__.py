"""GSI (Ding et al. 2025, arXiv 2411.00750): self-improvement that does not lose the hard questions.

The model samples answers to questions with known answers and is trained again, from the base, on its correct ones.
Questions with too few of them (`sample`, `grade`) are asked again with help (`guide`): the answer, the reference
solution, a teacher's feedback, or the beginning of that solution (`guidance`, with `prefixes`). `leaks` and `equations`
find what help does to a text, `select` makes the next training set, and `tail` measures what became of the hard
questions.

The algorithm, with what the released code does differently, is on docs/gsi.md, whose sections the docstrings name.
"""
