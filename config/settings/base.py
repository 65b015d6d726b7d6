"""What every environment shares. Values that differ come from the environment (`.env.example`)."""

from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF, STRICT_DYNAMIC
from kombu import Queue

from core import logs

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

# The state folder: embedded database, file broker, uploads, job results, generated secrets.
VAR_DIR = Path(env.str("ALLIANCE_VAR", default=str(BASE_DIR / "var"))).resolve()

DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
# The address that people type, for links in e-mail.
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{env.str('PORT', default='8000')}")
# Who answers for the site, at the foot of the residents' pages. What is empty is not shown.
SITE_OWNER = env.str("SITE_OWNER", default="")
SITE_OPERATOR = env.str("SITE_OPERATOR", default="")
SITE_CODE = env.str("SITE_CODE", default="")
SITE_ICP = env.str("SITE_ICP", default="")
SITE_POLICE = env.str("SITE_POLICE", default="")
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
# Demonstration accounts and data may be made here; never in production.
DEMO = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "mptt",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "import_export",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "csp",
    "django_structlog",
    "django_prometheus",
    "core",
    "orgs",
    "accounts",
    "grids",
    "alliance",
    "members",
    "services",
    "reports",
    "portal",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "core.logs.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.KeptPages",
    # Above whatever may answer by itself (redirects, CSRF failures): those carry a policy too.
    "csp.middleware.CSPMiddleware",
    "core.middleware.NoNullCharacters",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.SessionClock",
    "accounts.middleware.Gate",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "core.jinja.environment",
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "core.context.face",
                "portal.context.portal",
            ],
        },
    },
    {
        # Only templates inside third-party packages are Django templates (docs/views.md).
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

DATABASE = env.db_url_config(
    env.str("DATABASE_URL", default="") or f"sqlite:///{VAR_DIR / 'alliance.sqlite3'}"
)
DATABASES = {"default": DATABASE}
if DATABASE["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN: a later upgrade of a read lock could only fail.
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
    # Covering indexes are for PostgreSQL; SQLite makes plain ones of them, which is well.
    SILENCED_SYSTEM_CHECKS = ["models.W040"]
else:
    DATABASE["CONN_MAX_AGE"] = 600
    DATABASE["CONN_HEALTH_CHECKS"] = True
    DATABASE["ENGINE"] = "core.postgresql"
    # A database that does not answer shows in seconds, not after the kernel's two minutes.
    DATABASE["OPTIONS"] = {**DATABASE.get("OPTIONS", {}), "connect_timeout": 5}

# A streaming standby that takes the reads of these rooms off the primary; none by default.
REPLICA_URL = env.str("REPLICA_URL", default="")
STANDBY_READS = frozenset({"portal", "reports"})
REPLICA_MAX_LAG = env.float("REPLICA_MAX_LAG", default=2)  # seconds; beyond, nobody reads from it
if REPLICA_URL:
    DATABASES["standby"] = {
        **env.db_url_config(REPLICA_URL),
        "ENGINE": "core.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # Somebody waits for its silence, and then is served by the primary all the same.
        "OPTIONS": {
            "connect_timeout": 2,
            "tcp_user_timeout": 3000,
            "keepalives_idle": 2,
            "keepalives_interval": 1,
            "keepalives_count": 2,
        },
        "TEST": {"MIRROR": "default"},
    }
    DATABASE_ROUTERS = ["core.replica.Router"]
    MIDDLEWARE.append("core.replica.StandbyReads")

# With Redis: cache, sessions and broker there. Without: files under the state folder, which the
# processes of one machine share as well.
REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "core.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "alliance",
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
        }
    }
    # Reads fall back to the database when Redis is away.
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": VAR_DIR / "cache",
        }
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.db"

# Celery. No result backend: the job's row is the truth. Each task names its queue.
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES = [Queue(name) for name in ("default", "reports", "sheets", "mail")]
CELERY_TASK_ROUTES = {
    "core.tasks.run_job": {"queue": "default"},  # a job goes to the queue of its kind instead
    "core.tasks.sweep_jobs": {"queue": "default"},
    "core.tasks.deliver_mail": {"queue": "mail"},
    "core.tasks.tidy": {"queue": "default"},
    "core.tasks.drop_uploads": {"queue": "default"},
    "accounts.tasks.verify_nightly": {"queue": "default"},
    "alliance.tasks.turn_the_day": {"queue": "default"},
    "services.tasks.turn_the_day": {"queue": "default"},
}
CELERY_TASK_CREATE_MISSING_QUEUES = False  # a misspelt queue fails where it is written
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A blip of the broker must not stop a review at work; a second delivery finds the row done.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_TASK_PUBLISH_RETRY = False  # jobs are sent again from their rows; a request does not wait
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict] = {
    # `expires`: while the workers are busy they do not pile up, for the next one does all the work.
    # By the worker's clock against beat's: minutes, so that two hosts may differ by seconds.
    "sweep-jobs": {
        "task": "core.tasks.sweep_jobs",
        "schedule": 10,
        "options": {"expires": 120},
    },
    "deliver-mail": {
        "task": "core.tasks.deliver_mail",
        "schedule": 60,
        "options": {"expires": 180},
    },
    "verify-audit": {
        "task": "accounts.tasks.verify_nightly",
        "schedule": crontab(hour=2, minute=30),
    },
    "drop-uploads": {
        "task": "core.tasks.drop_uploads",
        "schedule": 600,
        "options": {"expires": 600},
    },
    "tidy": {"task": "core.tasks.tidy", "schedule": crontab(hour=3, minute=40)},
    # Every night, not on the quarter's first day alone: a night without power loses nothing.
    "open-finished-periods": {
        "task": "reports.open_finished_periods",
        "schedule": crontab(hour=1, minute=10),
    },
    # After the former, which computes what it opens; while that still runs the marks stay.
    "refresh-open-reviews": {
        "task": "reports.refresh_open_reviews",
        "schedule": crontab(hour=4, minute=20),
    },
    "give-back-reviews": {
        "task": "reports.give_back_reviews",
        "schedule": 600,
        "options": {"expires": 600},
    },
    "agreements-by-date": {
        "task": "alliance.tasks.turn_the_day",
        "schedule": crontab(hour=0, minute=10),
    },
    "lists-by-date": {
        "task": "services.tasks.turn_the_day",
        "schedule": crontab(hour=0, minute=20),
    },
}
# A running job beats this often; silent for six beats, and again two beats later, it is taken over.
JOB_HEARTBEAT_SECONDS = env.float("JOB_HEARTBEAT_SECONDS", default=5)
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat" / "schedule")
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Longer than the longest job: Redis hands out again what is not acknowledged by then.
        "visibility_timeout": 2 * 60 * 60,
        # redis-py's own 5 seconds would cut the worker's blocking reads.
        "socket_timeout": 30,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 20,
    }
else:
    _broker = VAR_DIR / "broker"
    CELERY_BROKER_URL = "filesystem://localhost//"
    CELERY_BROKER_TRANSPORT = "config.filebroker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "queue"),
        "data_folder_out": str(_broker / "queue"),
        "control_folder": str(_broker / "control"),
        "processed_folder": str(_broker / "taken"),
    }
    # Files answer no remote control; each worker would leave its mailbox behind.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.LongEnough", "OPTIONS": {"min_length": 10}},
    {
        "NAME": "accounts.passwords.NotLikeTheAccount",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
    {"NAME": "accounts.passwords.NotCommon"},
    {"NAME": "accounts.passwords.NotAllDigits"},
]
# Failures within the cool-off that close the way: one name from one place; one name from anywhere,
# and how many more from browsers it has signed in from; any name from one place, which may be a
# whole building behind one address (docs/adr/0017-accounts-lock-outs.md).
AXES_FAILURE_LIMIT = 5
SIGN_IN_FAILURES_NAME = 20
SIGN_IN_FAILURES_KNOWN = 10
SIGN_IN_FAILURES_PLACE = 50
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "accounts.lockout.Handler"
AXES_USERNAME_CALLABLE = "accounts.lockout.name_of"
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.place_of"
# What was typed beside the password is not kept either: the name may be a password.
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken", "next"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the time that is told is the time
AXES_DISABLE_ACCESS_LOG = True  # the audit log holds who came and went
AXES_LOCKOUT_CALLABLE = "accounts.views.sign_in.locked_out"
AXES_ENABLE_ADMIN = False
CLIENT_ADDRESS_HEADER = "REMOTE_ADDR"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["core.transport.Session"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["core.transport.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.transport.JsonParser"],
    "DEFAULT_PAGINATION_CLASS": "core.transport.ById",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": [
        "core.throttle.AnonRateThrottle",
        "core.throttle.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": "600/min"},
    "EXCEPTION_HANDLER": "core.api.errors.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "区域化党建联盟平台",
    "DESCRIPTION": "The console's lists, objects, forms and transitions, under the same rights.",
    "VERSION": "1",
    "OAS_VERSION": "3.0.3",
    "POSTPROCESSING_HOOKS": [],  # choices stand where they belong: every room has its own "state"
}

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected when the image is built: names with a hash, compressed beforehand.
STATIC_ROOT: str | None = env.str("STATIC_ROOT", default=str(VAR_DIR / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"  # never mapped to an address: core serves files through permission
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750

# What residents read is rendered once for all who ask within so many seconds, or until it changes.
PORTAL_PAGES_KEPT_SECONDS = 60

LOGIN_URL = "/console/sign-in/"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = "/console/sign-in/"

SESSION_IDLE_SECONDS = 30 * 60
SESSION_MAX_SECONDS = 8 * 60 * 60
SESSION_COOKIE_AGE = SESSION_MAX_SECONDS
# Roles that need one (accounts/roles.py) may do nothing before they have enrolled.
SECOND_FACTOR_REQUIRED = True
OTP_TOTP_ISSUER = "区域化党建联盟平台"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Nothing inline, nothing from outside; a script runs only when the page names it with its nonce.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, STRICT_DYNAMIC],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
CSRF_FAILURE_VIEW = "core.views.errors.csrf_failed"
FORM_RENDERER = "core.widgets.Renderer"
# Messages live in a cookie until shown: no session, no query.
MESSAGE_STORAGE = "django.contrib.messages.storage.fallback.FallbackStorage"

EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="alliance@localhost")

# Who may read /metrics: networks that ask the application itself, or the bearer of the token.
METRICS_ALLOW: list[str] = env.list("METRICS_ALLOW", default=["127.0.0.1", "::1"])
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
PROMETHEUS_EXPORT_MIGRATIONS = False  # it would ask the database at every start

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = logs.logging_config(as_json=False, level=LOG_LEVEL)
logs.configure()
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # addresses stay in nginx's log and in the audit
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10
