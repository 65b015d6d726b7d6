from accounts.queries import holders
from core import people
from core.console import menu

people.register(holders)

_GROUP = "系统管理"
menu("账号", "accounts:users", perm="accounts.view", order=900, icon="user", group=_GROUP)
menu("授权", "accounts:grants", perm="accounts.view", order=910, icon="users", group=_GROUP)
menu("审计日志", "accounts:audit", perm="audit.view", order=920, icon="shield", group=_GROUP)
