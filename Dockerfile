# Built by `make image`: VERSION names the wheel that `make build` wrote.
# Same image as connectorBuildOptions.baseImage in metadata.yaml.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6

FROM ${BASE_IMAGE} AS builder
ARG VERSION
WORKDIR /build
COPY requirements.lock build/source_twilio-${VERSION}-py3-none-any.whl ./
# `make audit` runs these two commands in an environment of their own.
RUN pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements.lock
RUN pip install --no-cache-dir --no-deps --no-index source_twilio-${VERSION}-py3-none-any.whl

# What pip left outside /usr/local stays behind in the builder.
FROM ${BASE_IMAGE}
ARG VERSION
WORKDIR /airbyte/integration_code
COPY --from=builder /usr/local /usr/local

LABEL io.airbyte.name=source-twilio/source-twilio
LABEL io.airbyte.version=${VERSION}

# The base image defines this user; the platform refuses images that need root.
USER airbyte

# Kubernetes deployments evaluate the variable in a shell and ignore ENTRYPOINT.
ENV AIRBYTE_ENTRYPOINT=/usr/local/bin/source-twilio
ENTRYPOINT ["/usr/local/bin/source-twilio"]
