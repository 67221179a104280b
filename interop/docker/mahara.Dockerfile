# syntax=docker/dockerfile:1
# NOT RUN YET: written without a Docker engine at hand. What was checked without one: docs/developing-moodle.md.
#
# A Mahara release for interop/compose.yml, on Debian's own Apache and PHP: Debian packages PHP's old xmlrpc extension, which
# Mahara's networking needs and PHP's images do not have.
FROM debian:bookworm-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# The newest versions of the distribution do.
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        apache2 libapache2-mod-php php-cli php-curl php-gd php-mbstring php-pgsql php-xml php-xmlrpc php-zip \
        ca-certificates curl \
    && rm -rf /var/lib/apt/lists/*
COPY interop/docker/openssl.cnf /etc/ssl/interop-openssl.cnf
COPY interop/docker/php.ini /tmp/php.ini
RUN for each in /etc/php/*/{cli,apache2}/conf.d; do cp /tmp/php.ini "$each/zz-interop.ini"; done
COPY interop/docker/rc4.php interop/docker/mahara-config.php interop/docker/mahara-networking.php interop/docker/database.php /usr/local/share/interop/
ENV OPENSSL_CONF=/etc/ssl/interop-openssl.cnf
RUN php /usr/local/share/interop/rc4.php
COPY interop/docker/fetch /usr/local/bin/fetch
ARG MAHARA_VERSION=22.10.0
ARG MAHARA_SHA256=
RUN fetch mahara "$MAHARA_VERSION" /usr/src/mahara "$MAHARA_SHA256"
COPY interop/docker/mahara-site /usr/local/bin/mahara-site
ENTRYPOINT ["mahara-site"]
