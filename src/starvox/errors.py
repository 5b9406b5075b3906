"""The one exception of the package that is meant for the person at the keyboard."""


class UserError(Exception):
    """A mistake that its user can mend.

    The message is one line that names the file, key or label and says what to
    do. The command line prints it without a traceback and exits with 2.
    """
