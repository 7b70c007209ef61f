"""What can go wrong in supervision, as exceptions whose text says the way out.

Two of them are not errors but words an actor says by raising: `Ignore` (nothing to do here) and
`Shutdown` (I end in good order). Knows nothing else of the package.
"""

from __future__ import annotations


class SupervisionError(Exception):
    """Anything this package refuses or could not do."""


class SpecError(SupervisionError, ValueError):
    """A child or supervisor was described wrongly; the text says what to write instead."""


class StartFailed(SupervisionError):  # noqa: N818  a public name, said as what happened
    """The tree did not become ready; everything that had started was stopped again."""


class NobodyThere(SupervisionError, LookupError):  # noqa: N818  a public name
    """No living actor has this path, or it ended before it could answer."""


class AskTimeout(SupervisionError, TimeoutError):  # noqa: N818  a public name
    """No answer came in time."""


class MailboxFull(SupervisionError):  # noqa: N818  a public name
    """The mailbox refused the message because its bound was reached."""


class Superseded(SupervisionError):  # noqa: N818  a public name
    """An actor that has already been replaced tried to go on."""


class CutOff(BaseException):
    """Thrown into a hung thread that burns the processor; not for actors to catch."""


class AdministrationError(SupervisionError):
    """A supervisor refused an administrative call.

    `code` is one of not_found, running, restarting, already_present, start_failed, dynamic,
    bad_spec, stopping.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Ignore(Exception):  # noqa: N818  not an error: a word to the supervisor
    """Raise in a factory or in `on_start`: keep my spec, but there is nothing to run."""


class Shutdown(Exception):  # noqa: N818  not an error: a word to the supervisor
    """Raise in a handler: I end in good order, with a reason (a transient child stays ended)."""
