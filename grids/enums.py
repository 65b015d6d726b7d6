from django.db import models


class PostState(models.TextChoices):
    VACANT = "vacant", "空缺"
    HELD = "held", "在岗"
