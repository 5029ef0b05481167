# The gateway for production: one static binary on an empty image, without the
# simulator. Build and run it with a configuration:
#
#   docker build -t facet .
#   docker run -p 8080:8080 -v "$PWD/facet.yaml:/etc/facet.yaml:ro" facet
#
# The file says `listen: 0.0.0.0:8080`. The private port stays inside: leave it on
# loopback, or name an address that only operators reach.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -tags production -ldflags "-s -w" -o /facet ./cmd/facet

FROM scratch
COPY --from=build /facet /facet
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/facet"]
CMD ["serve", "--config", "/etc/facet.yaml"]
