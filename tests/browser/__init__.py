"""Tests in a real browser with a real JupyterLab. A package, so that both are closed before other tests begin."""
