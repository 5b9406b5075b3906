"""The exceptions of the package that are meant for the person at the keyboard."""

_LONGEST = 1000  # characters of a message


class UserError(Exception):
    """A mistake that its user can mend.

    The message is one line that names the file, key or label and says what to
    do. The command line prints it without a traceback and exits with 2.

    Args:
        message: the line.
        arguments: names of those that mend it; the command line says how each is given.
    """

    def __init__(self, message: str, *arguments: str):
        super().__init__(message)
        self.arguments = arguments

    def __str__(self) -> str:
        """Returns the message as one line that a terminal can show, whatever was in a stranger's file."""
        text = super().__str__()
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class WriteError(UserError):
    """A file that cannot be written: a full disk, a read-only folder."""
