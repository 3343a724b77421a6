"""Why a node cannot start, or cannot take a command just now."""


class StartupError(Exception):
    """The venue cannot start; the message is one sentence for the operator.

    Whoever runs the process prints it and exits with code 2.
    """


class ConfigError(StartupError, ValueError):
    """A configuration file, a flag or an instrument's terms that say nothing usable."""


class ClockError(Exception):
    """A change of the clock that the venue refuses; the message is one sentence."""


class Unavailable(Exception):
    """A command that was not taken, or whose outcome is not known."""


class QueueFull(Unavailable):
    """Too many commands wait; nothing was done."""


class JournalFailed(Unavailable):
    """The journal could not be written; nothing was done."""


class Stopped(Unavailable):
    """The node no longer takes commands; nothing was done."""


class Halted(Unavailable):
    """The venue applies nothing more until it is started again; nothing was done."""


class OutcomeUnknown(Unavailable):
    """Nobody can say whether the command happened: only the next start finds out."""


class CommandFailed(Unavailable):
    """The engine broke on this command: it is journaled and its outcome is unknown."""
