"""Stories told in a real browser, on a real JupyterLab. A package, so that both end before other tests begin."""
