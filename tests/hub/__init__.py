"""Tests on a real JupyterHub with several users. A package, so that it ends before other tests begin."""
