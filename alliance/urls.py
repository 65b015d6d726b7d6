from alliance import views
from alliance.models import Agreement
from core.urls import noun

app_name = "alliance"
urlpatterns = [
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
