"""Packaging of source-twilio: what a user installs, and the extras a developer adds."""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
# metadata.yaml is the one place of the version: the platform reads it there.
VERSION = re.findall(r"(?m)^  dockerImageTag: (\S+)$", (HERE / "metadata.yaml").read_text("utf-8"))

setup(
    name="source-twilio",
    version="".join(VERSION),
    description="Airbyte source for Twilio: lossless, incremental, declarative.",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    packages=["source_twilio", "twilio_warehouse", "twilio_warehouse.verify_api"],
    package_data={
        "source_twilio": ["manifest.yaml", "schemas/*.json", "py.typed"],
        "twilio_warehouse": ["*.html", "*.json", "*.sql"],
    },
    python_requires=">=3.10,<3.14",
    install_requires=["airbyte-cdk>=7.39,<7.40", "orjson>=3.10,<4"],
    extras_require={
        # make lock, make audit
        "audit": [
            "cyclonedx-bom>=7,<8",
            "pip-audit>=2.9,<3",
            "pip-licenses>=5.5,<6",
            "uv>=0.8,<1",
        ],
        "dev": [
            # PyAirbyte does not install on Python 3.13 and later; the rest of the project does.
            "airbyte>=0.71,<0.72; python_version < '3.13'",
            "airbyte-cdk[manifest-server]>=7.39,<7.40",
            "build>=1.2,<2",
            "hypothesis>=6,<7",
            "jsonschema>=4.17,<5",
            "mypy>=1.14,<3",
            "pytest>=8,<10",
            "pytest-xdist>=3,<4",
            "pyyaml>=6,<7",
            "requests-mock>=1.12,<2",
            "ruff>=0.9,<1",
            "setuptools>=77",
            "time-machine>=2.16,<4",
            "twilio>=9,<10",
            "types-jsonschema>=4,<5",
            "types-pyyaml>=6,<7",
            "types-requests>=2,<3",
        ],
        # sandbox/, which is not in the wheel: make demo
        "sandbox": ["trustme>=1.2,<2"],
        # twilio-warehouse
        "warehouse": [
            "dlt[duckdb,parquet,postgres]>=1.31,<2",
            # That of PyAirbyte, and so of the tests: it cannot read files of a newer one.
            "duckdb>=1.4.3,<1.5",
            "jinja2>=3.1,<4",
            "matplotlib>=3.9,<4",
        ],
    },
    entry_points={
        "console_scripts": [
            "source-twilio=source_twilio.run:run",
            "twilio-warehouse=twilio_warehouse.cli:main",
        ]
    },
)
