from reports.models.change import Change, Tally
from reports.models.review import Adjustment, Review, Score
from reports.models.run import Run
from reports.models.scheme import Band, Indicator

__all__ = ["Adjustment", "Band", "Change", "Indicator", "Review", "Run", "Score", "Tally"]
