"""GSI (Ding et al. 2025, arXiv 2411.00750): self-improvement that does not lose the hard questions.

The model samples answers to questions with known answers and is trained again, from the base, on its correct ones.
Questions with too few of them are asked again with help (`sample`): the answer, the reference, a teacher's feedback, or
the beginning of the reference (`guidance`, with `prefixes`). `leaks` and `equations` find what help does to a text,
`select` makes the next training set, and `tail` measures what became of the hard questions.

`spec 3.4` in a docstring is a section of the specification that we built from, which cites paper and released code.
"""
