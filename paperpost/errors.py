"""The one base error of the service; the command line prints it as one line and exits with 1."""


class PaperpostError(Exception):
    """Something a person has to know about; its text is one clear sentence."""
