# The program as an image: docker build --tag replayhouse . && docker run --rm replayhouse --help
# Everything is installed from the lock, so that image and tests run on the same versions.
FROM python:3.12-slim AS build
WORKDIR /build
COPY . .
RUN python -m pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements.lock \
    && python -m hatchling build -t wheel --directory /wheels

FROM python:3.12-slim
COPY requirements.lock /tmp/
COPY --from=build /wheels /wheels
RUN python -m pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /tmp/requirements.lock \
    && python -m pip install --no-cache-dir --no-deps /wheels/*.whl \
    && rm -r /wheels /tmp/requirements.lock \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/replayhouse replayhouse \
    && install --directory --owner 10001 --mode 755 /var/lib/replayhouse-metrics
USER 10001
# Where a warehouse keeps what is not in the database: the list of the erased, staging, keys that sign. Beside it, where
# commands leave files for node_exporter, once REPLAYHOUSE_METRICS_DIR says so.
ENV REPLAYHOUSE_HOME=/var/lib/replayhouse
VOLUME /var/lib/replayhouse /var/lib/replayhouse-metrics
WORKDIR /var/lib/replayhouse
ENTRYPOINT ["replayhouse"]
CMD ["--help"]
