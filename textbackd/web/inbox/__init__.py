"""The inbox: who waits, what was said, and answering.   flow/desk.py, store → here → web/app.py

`asked` reads an address, `rows` and `timeline` turn what is stored into what is shown with `words`, `columns` puts both sides of the
page together, `deeds` does what forms ask for, `live` tells open pages that something changed.
"""

from textbackd.web.inbox.routes import ROUTES, set_up

__all__ = ["ROUTES", "set_up"]
