from services.models.claim import Claim
from services.models.item import Item
from services.models.rating import Rating, Rectification
from services.models.serial import Serial
from services.models.ticket import Ticket

__all__ = ["Claim", "Item", "Rating", "Rectification", "Serial", "Ticket"]
