"""Is this installation healthy, and will its mail arrive?"""
