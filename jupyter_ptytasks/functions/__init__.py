"""Python functions as tasks: how a call and its outcome are pickled.

Functions and classes of a notebook or script are pickled by value, those of modules by reference, which cloudpickle
does. A file is a line of JSON, for people and for checks before anything is unpickled, followed by the pickle.

Unpickling runs whatever code the pickle names, so only two kinds of files are ever unpickled: calls, by the program
that runs them in their task (`execute.function`), and outcomes, by programs that request a result. Both are in a
task's directory, below the user's data directory, where only its owner can write. That is checked before they are read:
they are regular files of this user, which no other user may change. Their content was sent by a user who may start any
command as this user, so a pickle gives no rights that its sender did not have. A client unpickles what the server
returns: use `url=` only with servers that may run code in your kernel.
"""
