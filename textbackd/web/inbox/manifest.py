"""What a phone needs to put the inbox on its first screen (W3C, Web Application Manifest).   → browser"""

from aiohttp import web

from textbackd.web import static
from textbackd.web.shop import SHOP


async def manifest(request: web.Request) -> web.Response:
    """Return the manifest. It is asked for with the session's cookie, so it is closed to strangers as every page is."""
    business = request.app[SHOP].settings.business.name
    return web.json_response(
        {
            "name": f"{business} · Inbox",
            "short_name": "Inbox",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#f4f6f6",
            "theme_color": "#0b6b5d",
            "icons": [
                {"src": static.url("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
                {"src": static.url("icon-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any maskable"},
                {"src": static.url("icon-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
            ],
        },
        content_type="application/manifest+json",
    )
