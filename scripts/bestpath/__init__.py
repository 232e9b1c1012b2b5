"""bestpath: sample reasoning paths, score them, keep the best, train on the difference, evaluate."""
