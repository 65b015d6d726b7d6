from django.urls import path

from accounts.views.audit import AuditEventView, AuditList, AuditVerify
from accounts.views.grants import GrantAdd, GrantDetail, GrantEnd, GrantList, UserGrant
from accounts.views.profile import PasswordView, ProfileView
from accounts.views.second_factor import EnrolView, RecoveryCodesView, SecondFactorView
from accounts.views.sign_in import SignInView, SignOutView
from accounts.views.users import (
    UserActivate,
    UserAdd,
    UserDeactivate,
    UserDetail,
    UserEdit,
    UserList,
    UserPassword,
    UserSecondFactor,
)
from core.urls import noun

app_name = "accounts"
urlpatterns = [
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-out/", SignOutView.as_view(), name="sign-out"),
    path("account/", ProfileView.as_view(), name="profile"),
    path("account/password/", PasswordView.as_view(), name="password"),
    path("account/second-factor/", SecondFactorView.as_view(), name="second-factor"),
    path("account/second-factor/enrol/", EnrolView.as_view(), name="enrol"),
    path("account/recovery-codes/", RecoveryCodesView.as_view(), name="recovery-codes"),
    *noun(
        "user",
        list=UserList,
        detail=UserDetail,
        add=UserAdd,
        edit=UserEdit,
        password=UserPassword,
        deactivate=UserDeactivate,
        activate=UserActivate,
        second_factor=UserSecondFactor,
        grant=UserGrant,
    ),
    *noun("grant", list=GrantList, detail=GrantDetail, add=GrantAdd, end=GrantEnd),
    path("audit/", AuditList.as_view(), name="audit"),
    path("audit/verify/", AuditVerify.as_view(), name="audit-verify"),
    path("audit/<int:pk>/", AuditEventView.as_view(), name="audit-event"),
]
