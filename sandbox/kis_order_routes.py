"""The pretend KIS's wires for orders, which may misbehave as a plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import orjson
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kis import Refusal
from sandbox.kis_faults import refused
from sandbox.order_faults import Channel, FaultPlan, OrderFault, Severed, misbehave

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.kis import Kis
    from sandbox.kis_order_pages import KisOrderPages

Row = dict[str, Any]

TRADING = "/uapi/domestic-stock/v1/trading/{name}"


def kis_order_routes(venue: Kis, pages: KisOrderPages, plan: FaultPlan) -> list[BaseRoute]:
    """Return the routes of an account's orders."""
    wires = KisOrderWires(venue, pages, plan)
    return [
        Route(TRADING, wires.ask, methods=["GET"]),
        Route(TRADING, wires.order, methods=["POST"]),
    ]


class KisOrderWires:
    """Answers requests about orders; requests that are late arrive before anything else."""

    def __init__(self, venue: Kis, pages: KisOrderPages, plan: FaultPlan) -> None:
        self._venue = venue
        self._pages = pages
        self._plan = plan

    async def order(self, request: Request) -> Response:
        """Execute an order, a change or a cancel."""
        body = orjson.loads(await request.body())
        name, headers = request.path_params["name"], request.headers

        def execute() -> Response:
            return self._answered(headers, lambda: self._placed(name, headers["tr_id"], body))

        return self._under_way(Channel.ORDER, execute)

    async def ask(self, request: Request) -> Response:
        """Answer a question about the account."""
        name, headers, query = request.path_params["name"], request.headers, request.query_params
        is_ghostly = False

        def asked() -> Response:
            outputs, more = self._pages.get(
                name,
                headers.get("tr_id", ""),
                query,
                headers.get("tr_cont", ""),
                has_ghost=is_ghostly,
            )
            text = "조회가 완료되었습니다".ljust(80)
            head = {"rt_cd": "0", "msg_cd": "KIOK0510", "msg1": text}
            return JSONResponse(outputs | head, headers={"tr_cont": more})

        self._arrive()
        fault = self._plan.next(Channel.READ)
        is_ghostly = fault is OrderFault.GHOST_ROW
        return self._spoiled(fault, lambda: self._answered(headers, asked))

    def _under_way(self, channel: Channel, execute: Callable[[], Response]) -> Response:
        self._arrive()
        return self._spoiled(self._plan.next(channel), execute)

    def _spoiled(self, fault: OrderFault | None, execute: Callable[[], Response]) -> Response:
        if fault is OrderFault.BUSY or self._venue.pace.is_too_fast():
            return refused(500, "EGW00201", "초당 거래건수를 초과하였습니다.")
        if fault is OrderFault.MAINTENANCE:
            return Severed(httpx.ConnectError)
        if fault is OrderFault.REVOKED:
            return refused(500, "EGW00121", "유효하지 않은 token 입니다.")
        account, due = self._pages.account, self._venue.clock.now() + self._plan.late_by

        def late() -> Response:
            account.late_at = due  # nobody may have asked us for anything just then
            try:
                return execute()
            finally:
                account.late_at = None

        if fault is OrderFault.ODD_ANSWER and self._plan.counts[fault] % 2:
            execute()
            return refused(500, "IGW00009", "응답전문 구성 중 오류가 발생하였습니다.")
        is_late = fault is OrderFault.LATE_REQUEST
        return misbehave(fault, late if is_late else execute, account.belated, due)

    def _arrive(self) -> None:
        account = self._pages.account
        account.belated.arrive(self._venue.clock.now())
        account.touch()

    def _placed(self, name: str, tr_id: str, body: Row) -> Response:
        output = self._pages.post(name, tr_id, body)
        text = "주문 전송 완료 되었습니다."
        head = {"rt_cd": "0", "msg_cd": "APBK0013", "msg1": text}
        return JSONResponse(head | {"output": output})

    def _answered(self, headers: Any, execute: Callable[[], Response]) -> Response:
        wrong = self._venue.keys.refusal(headers)
        if wrong is not None:
            return refused(500, *wrong)
        try:
            return execute()
        except Refusal as error:
            return JSONResponse({"rt_cd": "7", "msg_cd": error.code, "msg1": error.text.ljust(80)})
