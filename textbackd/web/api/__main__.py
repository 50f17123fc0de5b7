"""Write docs/openapi.json from the operations:  python -m textbackd.web.api"""

import json
from pathlib import Path
from typing import Final

from textbackd.web.api.openapi import document
from textbackd.web.api.routes import OPERATIONS

DOCUMENT: Final = Path("docs/openapi.json")


def written() -> str:
    """Return the document as it stands in the file."""
    return json.dumps(document(OPERATIONS), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(__file__).parents[3] / DOCUMENT).write_text(written(), "utf-8")
