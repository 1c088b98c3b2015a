# The operator's image: one program, compiled ahead of time (NativeAOT), on a base that has what it needs (libc, OpenSSL, root certificates)
# and no shell.
#
#   docker build .                                            or buildah build .
#   docker buildx build --platform linux/amd64,linux/arm64 .  the compiler runs on the build's own platform and links for each
#   docker build --target symbols --output symbols .          the program's symbols, which the image does not have, for debuggers and core dumps
#   docker build --target binary --output binary .            the program alone
#   --build-arg BUILD=jit                                     the fallback: the runtime with its JIT compiler, trimmed and precompiled (ReadyToRun)
#   --build-arg BUILD=published                               no compilation: the program that tests/tools/publish.sh has made and the tests have run
#   --build-arg BASE_IMAGE=… --build-arg SDK_IMAGE=…          other bases: a mirror's, or by digest. `make image` says how it goes without a registry
#
# The program needs a C library that is not older than the SDK image's: a base of the same release or a later one.
ARG BUILD=native
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG BASE_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled

FROM --platform=${BUILDPLATFORM:-linux/amd64} ${SDK_IMAGE} AS sdk
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
WORKDIR /source

# The linker, and for the other architecture its C library and binutils. An SDK image that has them already is left as it is.
FROM sdk AS native
ARG TARGETARCH=amd64
RUN set -eu; packages=; \
    case "$TARGETARCH-$(uname -m)" in \
      amd64-x86_64 | arm64-aarch64) ;; \
      arm64-*) [ -e /usr/aarch64-linux-gnu/lib/crt1.o ] || packages='gcc-aarch64-linux-gnu libc6-dev-arm64-cross' ;; \
      amd64-*) [ -e /usr/x86_64-linux-gnu/lib/crt1.o ] || packages='gcc-x86-64-linux-gnu libc6-dev-amd64-cross' ;; \
      *) echo "no runtime for $TARGETARCH" >&2; exit 1 ;; \
    esac; \
    command -v clang >/dev/null || packages="$packages clang"; \
    command -v ld.lld >/dev/null || packages="$packages lld"; \
    if [ -n "$packages" ]; then apt-get update && apt-get install -y --no-install-recommends $packages && rm -rf /var/lib/apt/lists/*; fi
COPY . .
ARG VERSION=0.1.0
# What is compiled in, and that every warning is an error, is in src/BucketEncryptionOperator/Native.props.
RUN case "$TARGETARCH" in amd64) arch=x64 ;; arm64) arch=arm64 ;; esac && \
    dotnet publish src/BucketEncryptionOperator -c Release -r "linux-$arch" -p:PublishAot=true -p:Version="$VERSION" -o /published

# One file as well, with the runtime, what trimming leaves of the framework, and code for the start compiled ahead.
FROM sdk AS jit
ARG TARGETARCH=amd64
COPY . .
ARG VERSION=0.1.0
RUN case "$TARGETARCH" in amd64) arch=x64 ;; arm64) arch=arm64 ;; *) echo "no runtime for $TARGETARCH" >&2; exit 1 ;; esac && \
    dotnet publish src/BucketEncryptionOperator -c Release -r "linux-$arch" --self-contained -p:Version="$VERSION" -o /published \
      -p:PublishSingleFile=true -p:PublishTrimmed=true -p:PublishReadyToRun=true -p:DebugType=none

FROM scratch AS published
ARG TARGETARCH=amd64
COPY artifacts/published/$TARGETARCH/ /published/

FROM ${BUILD} AS program

FROM scratch AS symbols
COPY --from=program /published/bucket-encryption-operator.dbg /

FROM scratch AS binary
COPY --from=program /published/bucket-encryption-operator /

# The platform is named because buildah 1.28 would look for this base on the platform of the stage before.
FROM --platform=${TARGETPLATFORM} ${BASE_IMAGE} AS base
# A home: .NET looks for certificates of the user there, and without it asks /etc/passwd, which need not know this user; most runtimes set
# it anyway.
ENV HOME=/
FROM base AS base-native
FROM base AS base-published
FROM base AS base-jit
# The runtime's debugger and profiler want sockets in /tmp, and the root file system is read-only. The native program has neither.
ENV DOTNET_EnableDiagnostics=0

FROM base-${BUILD}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bucket-encryption-operator" \
      org.opencontainers.image.description="Keeps the default server-side encryption of object store buckets as you declare it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=program /published/bucket-encryption-operator /usr/local/bin/
COPY LICENSE /licenses/
# By number, so that a kubelet can see that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/bucket-encryption-operator"]
CMD ["run"]
