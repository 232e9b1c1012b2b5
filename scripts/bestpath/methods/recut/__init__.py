"""ReCUT (Jin et al. 2025, arXiv 2506.10822): shorter reasoning through stepwise exploration and twin specialists.

From every step boundary the model completes a solution at length and in brief; a length-scaled reward keeps one
side's next step (`explore`, with `steps` and `reward`). All completions become candidates (`candidates`), the
shortest correct one is the optimal path (`optimal`), and it wins against longer and against wrong ones (`pairs`);
`sft` makes the baselines' training sets and `funnel` counts what became of everything.

The algorithm, with what the released code does differently, is on docs/recut.md, whose sections the docstrings name.
"""
