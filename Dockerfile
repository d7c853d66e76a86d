# The mock server as a container: `docker build -t bodydouble . && docker run --rm -p 8000:8000 bodydouble`.
# Options follow the image's name: `docker run … bodydouble serve --host 0.0.0.0 --seed 1`; any other command works as well.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY spec spec
COPY client client
COPY mockserver mockserver
COPY contract_tests contract_tests
COPY cli cli
RUN python -m venv /opt/bodydouble \
    && /opt/bodydouble/bin/pip install --no-cache-dir -c constraints.txt ".[contract,intercept,redis]"

FROM python:3.13-slim
COPY --from=build /opt/bodydouble /opt/bodydouble
ENV PATH=/opt/bodydouble/bin:$PATH PYTHONDONTWRITEBYTECODE=1
# A user of its own, without a home; nothing below the root is written, but for temporary files in /tmp.
RUN useradd --system --no-create-home --uid 10001 bodydouble
USER 10001
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/_bodydouble/health', timeout=2)"]
ENTRYPOINT ["bodydouble"]
CMD ["serve", "--host", "0.0.0.0"]
