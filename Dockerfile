# Same image as connectorBuildOptions.baseImage in metadata.yaml.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6

FROM ${BASE_IMAGE} AS builder
WORKDIR /build
COPY setup.py README.md ./
COPY source_twilio ./source_twilio
RUN pip install --no-cache-dir .

# The sources and what pip left outside /usr/local stay behind in the builder.
FROM ${BASE_IMAGE}
WORKDIR /airbyte/integration_code
COPY --from=builder /usr/local /usr/local

LABEL io.airbyte.name=source-twilio/source-twilio
LABEL io.airbyte.version=0.1.0

# The base image defines this user; the platform refuses images that need root.
USER airbyte

# Kubernetes deployments evaluate the variable in a shell and ignore ENTRYPOINT.
ENV AIRBYTE_ENTRYPOINT=/usr/local/bin/source-twilio
ENTRYPOINT ["/usr/local/bin/source-twilio"]
