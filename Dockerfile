# The image of web, worker, beat and migrate; docker-compose.yml starts each with its own command.

# --- assets: style sheets and scripts of both faces -------------------------------------------
FROM node:20-bookworm-slim AS assets
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY assets assets
RUN npm run --silent build

# --- packages: exactly what the lock pins, by hash ---------------------------------------------
FROM python:3.11-slim-bookworm AS packages
COPY requirements/base.lock /tmp/base.lock
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /tmp/base.lock

# --- the image itself --------------------------------------------------------------------------
FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.prod \
    ALLIANCE_VAR=/var/lib/alliance \
    STATIC_ROOT=/srv/static
# pg_dump and pg_restore of the server's own version, for `manage.py backup` and `restore`.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --user-group --no-create-home alliance \
    && mkdir -p /var/lib/alliance /srv/static \
    && chown alliance:alliance /var/lib/alliance
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
COPY --from=assets /src/static/dist static/dist
# The settings that all environments share need no secret to collect static files.
RUN DJANGO_SETTINGS_MODULE=config.settings.base python manage.py collectstatic --noinput
USER 10001:10001
VOLUME /var/lib/alliance
EXPOSE 8000
CMD ["gunicorn", "-c", "deploy/gunicorn.conf.py"]
