FROM python:3.12.7-bookworm

LABEL maintainer="Data <data@harbour.example>"

# hadolint and people both like one package a line
RUN apt-get update && apt-get install -y --no-install-recommends \
        graphviz \
        libgdal-dev \
    && rm -rf /var/lib/apt/lists/*

RUN pip install --no-cache-dir jupyterlab==4.3.1 pandas==2.2.3
RUN curl --fail --silent --show-error --location \
        https://downloads.harbour.example/fonts.tar.xz --output /tmp/fonts.tar.xz

RUN useradd --create-home --uid 10021 analyst
WORKDIR /home/analyst/work
COPY --chown=analyst jupyter_server_config.py /etc/jupyter/
COPY --chown=analyst templates ./templates
COPY --chown=analyst start.sh ./

USER analyst
EXPOSE 8888
HEALTHCHECK --start-period=20s \
    CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8888), 2).close()"]
CMD ["./start.sh"]
