from alliance.views.agreements import (
    AgreementAdd,
    AgreementDetail,
    AgreementDiscard,
    AgreementEdit,
    AgreementList,
    AgreementRenew,
    AgreementSign,
)
from alliance.views.clauses import ClauseAdd, ClauseEdit, ClauseRemove, LiaisonEdit

__all__ = [
    "AgreementAdd",
    "AgreementDetail",
    "AgreementDiscard",
    "AgreementEdit",
    "AgreementList",
    "AgreementRenew",
    "AgreementSign",
    "ClauseAdd",
    "ClauseEdit",
    "ClauseRemove",
    "LiaisonEdit",
]
