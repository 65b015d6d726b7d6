"""What a password must be, said in Chinese and with what to do, and one made by lot."""

from __future__ import annotations

import secrets

from django.contrib.auth import password_validation as stock

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike when read out or written down


class LongEnough(stock.MinimumLengthValidator):
    def get_error_message(self) -> str:
        return f"密码太短，至少要 {self.min_length} 位。"


class NotLikeTheAccount(stock.UserAttributeSimilarityValidator):
    def get_error_message(self) -> str:
        return "密码与登录名、姓名或邮箱太相近，请换一个。"


class NotCommon(stock.CommonPasswordValidator):
    def get_error_message(self) -> str:
        return "这是常见密码，容易被猜到，请换一个。"


class NotAllDigits(stock.NumericPasswordValidator):
    def get_error_message(self) -> str:
        return "密码不能全是数字，请加入字母或符号。"


def first_password() -> str:
    """A password for the first sign-in, in four groups that can be read over the telephone."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)
