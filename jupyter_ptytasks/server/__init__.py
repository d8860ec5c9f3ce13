"""The Jupyter Server extension. `extension` assembles the parts; `control`, `launching` and others have the verbs;
`rest` and `terminals` expose them; `hosts` keeps links to the ptyhosts, `monitor` watches their tasks.
"""
