# `make` alone lists what there is to run.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-builtin-rules

GO          ?= go
TOOLS       := $(CURDIR)/.tools
LINT_VERSION := v2.15.0
LINT        := $(TOOLS)/golangci-lint-$(LINT_VERSION)
PROTO       := $(TOOLS)/protoc-v1.36.12-v1.6.2
WIRE        ?= adapters/wire
FUZZTIME    ?= 10s
CLIENT      := testdata/client
BENCH_FLAGS ?=
FAULTS_FLAGS ?=
TEST_FLAGS  ?=

# No pattern looks into testdata, so each package there is named; a test at the
# root tells if one is not.
PACKAGES := ./... ./testdata/shop ./testdata/shop/generate

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## build bin/facet
	$(GO) build -trimpath -o bin/facet ./cmd/facet

.PHONY: demo
demo: build ## run the gateway and its simulated services on loopback until Ctrl-C
	@exec bin/facet demo $(DEMO_FLAGS)

# All is compiled at once, but the tests of one package run at a time: some hold
# bounds of the wall clock, which a neighbour with the race detector would break.
#
# The race detector leaves out the assembler that the JSON library compiles code with:
# watched, it makes each start of the program, of which the tests have some hundred, take
# seconds. A race inside it would go unseen; whoever uses it is watched.
UNWATCHED := -gcflags=github.com/twitchyliquid64/golang-asm/...=-race=false

.PHONY: test
test: export GOFLAGS := $(GOFLAGS) $(UNWATCHED)
test: test-tools ## install what the tests need, then vet and test everything with the race detector
	$(GO) vet $(PACKAGES)
	$(GO) list -race -test -deps -export $(PACKAGES) >/dev/null
	$(GO) test -race -p 1 -timeout 20m $(TEST_FLAGS) $(PACKAGES)

# The race detector links with a C compiler, the playground is tested in a browser,
# a linter and a client in TypeScript, of the devices' documents, run on Node, and
# the shared cache, the store of rollouts and the client over AMQP are tested with real
# servers, which the tests start themselves; one that a package starts is neither used
# nor stopped.
# promtool looks at the metrics; the server that comes with it is not run.
.PHONY: test-tools
test-tools: needed $(CLIENT)/node_modules/.package-lock.json
	@$(GO) mod download

.PHONY: needed
needed:
	@$(call need,gcc,gcc libc6-dev)
	@$(call need,chromium,chromium)
	@$(call need,node,nodejs)
	@$(call need,npm,npm)
	@$(call need,promtool,prometheus)
	@$(call need,redis-server,redis-server)
	@$(call need,memcached,memcached)
	@$(call need,etcd,etcd-server)
	@$(call need,/usr/lib/rabbitmq/bin/rabbitmq-server,rabbitmq-server)
	@$(call need,protoc,protobuf-compiler)
	@$(call need,thrift,thrift-compiler)

# npm writes this file last. It does not run the packages' own scripts.
$(CLIENT)/node_modules/.package-lock.json: $(addprefix $(CLIENT)/,package.json package-lock.json .npmrc) | needed
	cd $(CLIENT) && npm ci </dev/null
	@touch $@

.PHONY: fmt-check
fmt-check: ## fail if a file is not as gofmt writes it
	@unformatted="$$(find . \( -name .git -o -name .tools -o -name node_modules \) -prune -o -name '*.go' -exec gofmt -l {} +)"; \
	if [ -n "$$unformatted" ]; then printf 'not as gofmt writes it:\n%s\n' "$$unformatted" >&2; exit 1; fi

.PHONY: lint
lint: fmt-check $(LINT) ## check the form of the code; the first run builds the linter
	$(LINT) config verify
	$(LINT) run $(PACKAGES)

# Built from source, so that the linter knows the Go version it lints. The name
# carries the version: a changed pin builds anew.
$(LINT):
	@echo "building golangci-lint $(LINT_VERSION) into .tools (once, some minutes)" >&2
	@mkdir -p $(TOOLS)
	cd $(TOOLS) && GOFLAGS= GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(TOOLS)/golangci-lint $@

# The Go code of the services' interface descriptions. A test makes it again elsewhere
# (WIRE), and compares.
.PHONY: generate
generate: needed $(PROTO) ## make the Go code of the descriptions in adapters/wire anew
	@mkdir -p $(WIRE)
	protoc --proto_path=adapters/wire --plugin=$(PROTO)/protoc-gen-go --plugin=$(PROTO)/protoc-gen-go-grpc \
	  --go_out=$(WIRE) --go-grpc_out=$(WIRE) --go_opt=module=$(WIRE_MODULE) --go-grpc_opt=module=$(WIRE_MODULE) cart.proto
	thrift -strict --gen go:skip_remote -out $(WIRE) adapters/wire/orders.thrift
	sed -i -E '/^\/\/ (- )?[[:space:]]*protoc +v/d' $(WIRE)/cart/*.pb.go # which of protoc's many patches it was
	gofmt -w $(WIRE)/orders

WIRE_MODULE := github.com/facet-gateway/facet/adapters/wire

# The folder's name carries the versions of protobuf and gRPC: a changed pin installs anew.
$(PROTO):
	@rm -rf $@.part && mkdir -p $@.part
	cd $@.part && GOFLAGS= GOBIN=$@.part $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go@$(word 2,$(subst -, ,$(notdir $@)))
	cd $@.part && GOFLAGS= GOBIN=$@.part $(GO) install google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(word 3,$(subst -, ,$(notdir $@)))
	@mv $@.part $@

.PHONY: bench
bench: ## compare the gateway with a hand-written twin (BENCH_FLAGS="-rounds 3")
	@$(call need,wrk,wrk)
	$(GO) run ./bench $(BENCH_FLAGS)

.PHONY: faults
faults: ## break services under load and hold pages to bars (FAULTS_FLAGS="-only hang,reset -short")
	@$(call need,redis-server,redis-server)
	@$(call need,wrk,wrk)
	$(GO) test ./core/server -run TestLoadOfClients -count=1 -v -clients 10000
	$(GO) run ./bench/faults $(FAULTS_FLAGS)

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (10s)
	@$(GO) list -f '{{.Dir}}' $(PACKAGES) | while read -r dir; do \
	  { grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go 2>/dev/null || true; } | awk '{print $$2}' | while read -r target; do \
	    echo "== $$dir $$target"; \
	    (cd "$$dir" && $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) . </dev/null) || exit 1; \
	  done || exit 1; \
	done

.PHONY: clean
clean: ## remove what was built, the linter and the client's tools included
	rm -rf bin .tools bench/out $(CLIENT)/node_modules

# need: a command and the Debian packages that hold it. Installs them as root where
# apt is, and says what is missing elsewhere.
define need
if ! command -v $(1) >/dev/null; then \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(2) </dev/null \
    || { apt-get update </dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(2) </dev/null; }; \
  else \
    echo "missing: $(1). Install it first (Debian: apt-get install $(2))" >&2; exit 1; \
  fi; \
fi
endef
