from django.urls import path

from accounts.views.profile import PasswordView, ProfileView
from accounts.views.second_factor import EnrolView, RecoveryCodesView, SecondFactorView
from accounts.views.sign_in import SignInView, SignOutView

app_name = "accounts"
urlpatterns = [
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-out/", SignOutView.as_view(), name="sign-out"),
    path("account/", ProfileView.as_view(), name="profile"),
    path("account/password/", PasswordView.as_view(), name="password"),
    path("account/second-factor/", SecondFactorView.as_view(), name="second-factor"),
    path("account/second-factor/enrol/", EnrolView.as_view(), name="enrol"),
    path("account/recovery-codes/", RecoveryCodesView.as_view(), name="recovery-codes"),
]
