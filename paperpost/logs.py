"""Logs: lines for people, or JSON for machines; on stderr, always."""

import logging
import sys

import structlog


def configure(*, as_json: bool) -> structlog.typing.FilteringBoundLogger:
    """Set up logging for a process that runs for long; gives the logger."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    # A job that is still running is left running: nothing to be told of twice a minute.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
