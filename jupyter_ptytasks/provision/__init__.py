"""Where ptyhosts are started: `base` defines provisioners, `local` is the one for this machine."""
