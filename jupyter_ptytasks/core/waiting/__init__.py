"""Whether a program waits for input, judged by what the kernel says about it."""
