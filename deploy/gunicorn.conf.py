"""gunicorn's settings, for production behind nginx and for the trial alike."""

import gc
import os
import shutil
import tempfile
from multiprocessing import cpu_count
from pathlib import Path

from core.logs import logging_config

_project = Path(__file__).resolve().parents[1]
_production = os.environ.get("DJANGO_SETTINGS_MODULE", "").endswith(".prod")
# Workers are processes: each counts in files here, and /metrics adds them up. Not in the state
# folder, which several hosts share: one would empty it under the others.
_figures = tempfile.mkdtemp(prefix="alliance-figures-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _figures

chdir = str(_project)
wsgi_app = "config.wsgi:application"
bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or min(2 * cpu_count() + 1, 9))
threads = 4
preload_app = True  # one refusal to start instead of one a worker, and shared memory
keepalive = 75  # as nginx keeps its connections
timeout = 60
graceful_timeout = 30
_memory = "/dev/shm"  # noqa: S108  (a heartbeat file)  # nosec B108
worker_tmp_dir = _memory if Path(_memory).is_dir() else None
control_socket_disable = True
forwarded_allow_ips = ""  # Django reads the headers that nginx sets; gunicorn need not
accesslog = None  # the application logs each request with its id
logconfig_dict = logging_config(as_json=_production, level=os.environ.get("LOG_LEVEL") or "INFO")
logconfig_dict["loggers"]["gunicorn.error"] = {"handlers": ["line"], "propagate": False}


def when_ready(server) -> None:
    """Before the first worker is forked: what each would load for itself is here once for all, and
    the collector, which writes into all that it looks at, leaves it alone."""
    from orgs.pinyin import load

    load()
    gc.collect()
    gc.freeze()


def on_exit(server) -> None:
    shutil.rmtree(_figures, ignore_errors=True)


def child_exit(server, worker) -> None:
    from prometheus_client import multiprocess  # not before the folder is named above

    multiprocess.mark_process_dead(worker.pid)
