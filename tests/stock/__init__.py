"""JupyterLab's own client for terminals (`@jupyterlab/services`, from npm), which must work unchanged."""
