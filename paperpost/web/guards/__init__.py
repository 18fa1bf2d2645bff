"""What stands between the network and the pages: a file per guard.

Plain ASGI, because Starlette's BaseHTTPMiddleware reads bodies in its own way.
"""
