# syntax=docker/dockerfile:1
# One image for the web server and the worker; docker-compose.yml says which command each runs.
#   docker build .                          for machines without a GPU
#   docker build --build-arg LOCK=gpu .     with TensorFlow's CUDA libraries, for NVIDIA GPUs

FROM node:22-bookworm-slim AS front-end
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev \
    && mkdir vendor \
    && cp node_modules/htmx.org/dist/htmx.min.js node_modules/@picocss/pico/css/pico.min.css \
        node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css \
        node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs vendor/ \
    && gzip -9 -n -c node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm > vendor/ort-wasm.bin

FROM python:3.12-slim-bookworm AS packages
ARG LOCK=runtime
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
COPY requirements/${LOCK}.lock /tmp/requirements.lock
RUN /opt/venv/bin/pip install --only-binary :all: --require-hashes -r /tmp/requirements.lock
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY requirements/runtime.in requirements/runtime.in
COPY automl automl
COPY server server
COPY worker worker
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation --editable .
# Fetched and checked while the image is built, so that a container needs nothing but its volumes; a layer of its own,
# since a change of the pages must not fetch them again.
# hadolint ignore=DL3059
RUN DARKROOM_CACHE_DIR=/opt/darkroom /opt/venv/bin/automl weights fetch

FROM python:3.12-slim-bookworm
# Plots show class names in any script: Chinese, Japanese and Korean (5 MB), Thai, Devanagari and others (42 MB).
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-wqy-microhei fonts-noto-core \
    && rm -rf /var/lib/apt/lists/*
# hadolint ignore=DL3059
RUN useradd --create-home --uid 10001 darkroom \
    && install --directory --owner darkroom --mode 700 /data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DARKROOM_HOME=/data \
    DARKROOM_CACHE_DIR=/opt/darkroom
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /opt/darkroom /opt/darkroom
COPY --from=packages /app /app
COPY templates /app/templates
COPY docs /app/docs
COPY --from=front-end /build/vendor /app/server/static/vendor
WORKDIR /app
USER 10001
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "server:serve()", "--worker-class", "server.gunicorn_worker.GuardedWorker", "--workers", "1", "--threads", "600", "--graceful-timeout", "2", "--no-control-socket", "--logger-class", "server.gunicorn_log.GunicornLog", "--bind", "0.0.0.0:8000"]
