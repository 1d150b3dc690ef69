# The suite as an image:
#
#   docker build --tag detect-anomalies-conformance .
#   docker run --rm --user "$(id -u)" --volume "$PWD:/work" detect-anomalies-conformance run --target acme.toml
#
# It works in /work: target files are read from there, and reports go to /work/reports. A server on the machine itself is
# reached with `--network host`, or with `--add-host host.docker.internal:host-gateway` as http://host.docker.internal:8080.

FROM python:3.13.9-slim-bookworm AS wheels
COPY pyproject.toml README.md LICENSE /suite/
COPY conformance /suite/conformance
COPY schemas /suite/schemas
COPY fixtures /suite/fixtures
RUN pip wheel --no-cache-dir --wheel-dir /wheels /suite

FROM python:3.13.9-slim-bookworm
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index /wheels/*.whl
# Any user will do: whoever runs it as somebody else mounts a folder that may be written to.
ENV HOME=/tmp
RUN install --directory --owner 10001 --group 10001 /work
WORKDIR /work
USER 10001:10001
VOLUME /work
ENTRYPOINT ["conformance"]
CMD ["--help"]
