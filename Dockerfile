# The operator's image: one file on a base that has what .NET's networking needs (libc, libstdc++, OpenSSL, root certificates), and no shell.
#
#   docker build .                                            or buildah build .
#   docker buildx build --platform linux/amd64,linux/arm64 .  the SDK runs as it is and compiles for each
#   --build-arg BASE_IMAGE=… --build-arg SDK_IMAGE=…          other bases: a mirror's, or by digest. `make image` says how it goes without a registry
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG BASE_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled

FROM --platform=${BUILDPLATFORM:-linux/amd64} ${SDK_IMAGE} AS build
ARG TARGETARCH=amd64
ARG VERSION=0.1.0
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
WORKDIR /source
COPY . .
# Trimmed: two fifths of what it is with the whole framework. ReadyToRun: compiled ahead, which doubles the file and halves the start. Figures: docs/install.md.
RUN case "$TARGETARCH" in amd64) arch=x64 ;; arm64) arch=arm64 ;; *) echo "no runtime for $TARGETARCH" >&2; exit 1 ;; esac && \
    dotnet publish src/BucketEncryptionOperator -c Release -r "linux-$arch" --self-contained -o /published \
      -p:PublishSingleFile=true -p:PublishTrimmed=true -p:PublishReadyToRun=true -p:DebugType=none -p:Version="$VERSION"

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bucket-encryption-operator" \
      org.opencontainers.image.description="Keeps the default server-side encryption of object store buckets as you declare it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /published/bucket-encryption-operator /usr/local/bin/
COPY LICENSE /licenses/
# No diagnostics: they want a socket in /tmp, and the root file system is read-only. A home: .NET looks for certificates of the user there, and without it asks
# /etc/passwd, which need not know this user; most runtimes set it anyway.
ENV DOTNET_EnableDiagnostics=0 HOME=/
# By number, so that a kubelet can see that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/bucket-encryption-operator"]
CMD ["run"]
