"""What jupyter_ptytasks costs and gains, side by side with terminado (and tmux, dtach, ttyd where installed).

`python -m benchmarks` runs everything in a few minutes, `--quick` in about one; see `__main__`. Nothing here fails for
being slow: it prints what it measured.
"""
