"""Pools: the slots that runs share."""

from __future__ import annotations

from fastapi import APIRouter

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Engine
from cronpilot.client.users import PoolView

router = APIRouter(prefix="/api/pools", tags=["scheduler"], route_class=LateRoute)


@router.get("")
async def list_pools(engine: Engine) -> list[PoolView]:
    """How many slots there are, are taken and are waited for; the first, without a name, is all
    worker slots."""
    return await engine.pool_slots()
