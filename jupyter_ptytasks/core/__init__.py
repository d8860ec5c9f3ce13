"""The pure core: values in, values out; standard library only, and no Jupyter.

What the ptyhost imports of it avoids dataclasses, typing and enum: they would cost every task 2 MiB.
"""
