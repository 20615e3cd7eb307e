# docker build -t vestibule .
# docker run -p 127.0.0.1:8080:8080 -v vestibule:/var/lib/vestibule --env-file vestibule.env vestibule

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends pkg-config libxmlsec1-dev libclang-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The image's own toolchain: rust-toolchain.toml also asks for components that only developers need.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist -p server --bin vestibule \
    && install -D target/dist/vestibule /out/vestibule

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libxmlsec1-openssl ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/vestibule --create-home --skel /dev/null --shell /usr/sbin/nologin vestibule
COPY --from=build /out/vestibule /usr/local/bin/vestibule
# By number, so that Kubernetes' runAsNonRoot can tell.
USER 10001
# SQLite's files, relative to which the default configuration looks. With PostgreSQL nothing is kept here.
WORKDIR /var/lib/vestibule
VOLUME /var/lib/vestibule
# The container's own network is its boundary; the default, loopback, could not be reached from outside it.
ENV VESTIBULE_SERVER__BIND=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["vestibule", "healthcheck"]
ENTRYPOINT ["vestibule"]
CMD ["serve"]
