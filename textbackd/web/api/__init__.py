"""The JSON API under /api/v1: what the inbox can do, for programs.   auth.py → here → flow/desk.py, store

`routes.py` has every operation as data: method, path, what comes in, what goes out. From it come the handlers (`operation.py`) and the
OpenAPI document (`openapi.py`), so that the two cannot differ.
"""
