"""The training loop: any number of processes, bfloat16, exact resume, a budget it keeps to."""
