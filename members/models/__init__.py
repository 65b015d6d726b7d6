from members.models.member import Member
from members.models.post import Post, PostClaim
from members.models.reporting import Feedback, Reporting
from members.models.service import ServiceRecord

__all__ = ["Feedback", "Member", "Post", "PostClaim", "Reporting", "ServiceRecord"]
