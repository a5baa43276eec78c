"""The schema of the API, made when somebody asks for it: at a start it would take too long."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from cronpilot.api.problems import Problem


def describe(app: FastAPI) -> None:
    """Have `app.openapi()` tell of our errors, and of how to log in."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            parts = schema.setdefault("components", {})
            parts.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
            parts["securitySchemes"] = {"basic": {"type": "http", "scheme": "basic"}}
            schema["security"] = [{"basic": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
