"""The HTTP face: MCP at `/mcp`, REST and its OpenAPI document at `/api/v1`, `/health`, `/ready` and `/metrics`.

Others use: `serve.run_serve` (what `prov serve` runs), `app.http_app` (the ASGI application) and `auth.Authenticator`.
Nothing here is imported by `prov mcp serve`, which speaks stdio alone.
"""
