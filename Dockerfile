# Three images from one file: `--target api` holds no torch, `--target worker` does; `--target worker-cpu` holds one
# without CUDA, which is 4.6 GB smaller.
FROM python:3.11.14-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --uid 10001 --create-home audit && install --directory --owner audit /data
WORKDIR /service
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY clients/python clients/python
COPY app app
COPY worker worker
COPY alembic alembic

FROM base AS api
RUN pip install --constraint constraints.txt --editable clients/python --editable '.[api,tracing]'
USER 10001
# Where the process that draws reports keeps its list of fonts.
ENV MPLCONFIGDIR=/tmp/matplotlib
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=3)"]
CMD ["salience-audit", "serve", "--only", "api", "--host", "0.0.0.0", "--port", "8000", "--data", "/tmp"]

# SSIM and blur are compiled here; the compiler stays behind.
FROM base AS build
# Nothing of this stage is kept, so that neither versions nor lists need care.
# hadolint ignore=DL3008,DL3009,DL3015
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev
RUN pip install --no-deps --editable .

FROM base AS worker-cpu
COPY --from=build /service/worker/functional worker/functional
# The index of CPU builds that PyTorch's own installation page names.
ARG TORCH_CPU_INDEX
RUN pip install --constraint constraints.txt --no-deps --index-url "${TORCH_CPU_INDEX:?}" torch torchvision \
    && pip install --constraint constraints.txt --editable clients/python --editable '.[worker,timm,transformers,tracing]'
USER 10001
CMD ["salience-audit", "worker"]

FROM base AS worker
COPY --from=build /service/worker/functional worker/functional
RUN pip install --constraint constraints.txt --editable clients/python --editable '.[worker,timm,transformers,tracing]'
USER 10001
CMD ["salience-audit", "worker"]
