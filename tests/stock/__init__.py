"""JupyterLab's own client of terminals (`@jupyterlab/services`, from npm): what it does must work here unchanged."""
