"""The core: values, formats and pure functions; standard library only. What differs between systems is in `platform`.

Modules that the ptyhost imports avoid dataclasses, typing and enum, which would cost every task 2 MiB.
"""
