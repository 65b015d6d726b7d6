from django.urls import path

from core.urls import noun
from core.views import ExportView
from services import views
from services.models import Claim, Item, Rectification, Ticket
from services.sheets import ListsLedger

app_name = "services"
urlpatterns = [
    path(
        "items/export/",
        ExportView.as_view(exporter=ListsLedger, list_url="services:items"),
        name="items-export",
    ),
    *noun(
        "item",
        list=views.ItemList,
        detail=views.ItemDetail,
        add=views.ItemAdd,
        edit=views.ItemEdit,
        transits=Item,
        claim=views.ClaimAdd,
        resize=views.ItemResize,
        discard=views.ItemDiscard,
    ),
    path("offers/", views.OfferList.as_view(), name="offers"),
    *noun("claim", list=views.ClaimList, detail=views.ClaimDetail, transits=Claim),
    *noun("rectification", transits=Rectification),
    *noun(
        "ticket",
        list=views.TicketList,
        detail=views.TicketDetail,
        transits=Ticket,
        phone=views.TicketPhone,
    ),
]
