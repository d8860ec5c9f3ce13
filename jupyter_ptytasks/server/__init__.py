"""The Jupyter Server extension. `extension` puts the parts together; `manager` has the verbs; `rest` and `terminals`
let others use them; `hosts` keeps in touch with the ptyhosts, `provision` starts them, `monitor` watches their tasks.
"""
