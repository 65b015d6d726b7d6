from django.urls import path

from alliance import views
from alliance.models import Agreement
from alliance.sheets import AgreementsLedger
from core.urls import noun
from core.views import ExportView

app_name = "alliance"
urlpatterns = [
    path(
        "agreements/export/",
        ExportView.as_view(exporter=AgreementsLedger, list_url="alliance:agreements"),
        name="agreements-export",
    ),
    *noun(
        "agreement",
        list=views.AgreementList,
        detail=views.AgreementDetail,
        add=views.AgreementAdd,
        edit=views.AgreementEdit,
        transits=Agreement,
        sign=views.AgreementSign,
        renew=views.AgreementRenew,
        discard=views.AgreementDiscard,
        clauses=views.ClauseAdd,
    ),
    *noun("clause", edit=views.ClauseEdit, remove=views.ClauseRemove),
    *noun("party", plural="parties", edit=views.LiaisonEdit),
]
