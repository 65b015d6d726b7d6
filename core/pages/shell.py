"""What the mechanisms put into the console's shell."""

from core.console import menu, topbar
from core.notify import unread_count
from core.workdays import PERM

topbar("收件箱", "core:inbox", icon="bell", count=unread_count)
menu("收件箱", "core:inbox", order=80, icon="bell", key="i")
menu("我的关注", "core:watches", order=80, icon="star", key="s")
menu("后台任务", "core:jobs", order=81, icon="clock", key="j")
menu("工作日调整", "core:workdays", perm=PERM, order=92, icon="gear")
