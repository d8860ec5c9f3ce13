"""Tests on a real JupyterHub with several people. A package, so that it ends before other tests begin."""
