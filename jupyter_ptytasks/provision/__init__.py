"""Starting ptyhosts: `base` defines provisioners, `local` is the one for this machine."""
