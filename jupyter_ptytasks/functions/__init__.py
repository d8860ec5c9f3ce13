"""Python functions as tasks: how a call and its outcome are pickled.

cloudpickle pickles functions and classes of a notebook or script by value, and those of modules by reference. A file is
a line of JSON, which can be read and checked before anything is unpickled, followed by the pickle.

Unpickling may run any code, so only two kinds of files are ever unpickled: calls, by the program that runs them in
their task (`execute.function`), and outcomes, by programs that request a result. Both are in a task's directory, below
the user's data directory, where only its owner can write. This is checked before they are read: they must be regular
files of this user that no other user can change. Their content was sent by a user who may start any command as this
user, so a pickle grants no rights that its sender did not have. A client unpickles what the server returns: use `url=`
only with servers that may run code in your kernel.
"""
