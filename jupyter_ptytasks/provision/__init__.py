"""Where ptyhosts are started: `base` says what a provisioner does, `local` does it on this machine."""
