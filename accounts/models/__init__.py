from accounts.models.grant import Grant
from accounts.models.user import User

__all__ = ["Grant", "User"]
