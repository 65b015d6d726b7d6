from services.views.claims import ClaimAdd, ClaimDetail, ClaimList
from services.views.items import (
    ItemAdd,
    ItemDetail,
    ItemDiscard,
    ItemEdit,
    ItemList,
    ItemResize,
    OfferList,
)
from services.views.tickets import TicketDetail, TicketList, TicketPhone

__all__ = [
    "ClaimAdd",
    "ClaimDetail",
    "ClaimList",
    "ItemAdd",
    "ItemDetail",
    "ItemDiscard",
    "ItemEdit",
    "ItemList",
    "ItemResize",
    "OfferList",
    "TicketDetail",
    "TicketList",
    "TicketPhone",
]
