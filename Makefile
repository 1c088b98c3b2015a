# The same targets for people and for CI. Each shows what it is doing and how long it takes; the work is in scripts, so that it can be read and run there.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
STEP := tests/tools/step.sh
SOLUTION := BucketEncryptionOperator.sln

.PHONY: help build operator unit random test scenarios chaos interop interop-ceph apiserver apiserver-check bench bench-growth bench-scenes bench-steady bench-micro bench-commands hot-paths lint demo render chart sbom release-dry-run docs observe telemetry-cost image mutants ownership-model clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

build: ## compile everything (Release: tests and demo share it)
	@$(STEP) "build" dotnet build $(SOLUTION) -c Release --nologo -v minimal

operator: ## the program as it ships (NativeAOT), in artifacts/published: two minutes after a change of src; OPERATOR=jit takes make build's
	@$(STEP) "operator" tests/tools/operator.sh

unit: ## the unit tests: seconds, no API server
	@$(STEP) "build" dotnet build tests/Unit.slnf -c Release --nologo -v quiet
	@tests/run.sh unit

random: build ## the unit tests with all cases of their random tests, ten times as many as in make test (3 minutes)
	@tests/run.sh random

test: apiserver build operator ## all tests, against a real API server; the last line is the count
	@tests/run.sh all

scenarios: apiserver build operator ## what the product does, one line a file of tests/scenarios, with the result (part of make test)
	@tests/run.sh scenarios

chaos: apiserver build operator ## faults on the real API server, each at full length (about 10 minutes); prints the table
	@tests/run.sh chaos

interop: build ## the vendors' own clients against the simulator
	@$(STEP) "interop" tests/interop/run.sh

interop-ceph: apiserver build operator ## the command and the operator against real Ceph gateways; by hand, needs root (about 10 minutes)
	@$(STEP) "interop-ceph" tests/interop/ceph/run.sh

apiserver: ## build the test API server (2 to 4 minutes once, then cached outside of the checkout)
	@$(STEP) "API server" tests/apiserver/serve.sh --prepare

apiserver-check: ## test the test API server: its cache and its contract
	@tests/apiserver/check.sh

ROUNDS ?= 3
SCENES ?=
bench: apiserver build operator ## speed and memory beside the same work on client-go, about half an hour: docs/benchmarks.md; SCENES="small change" ROUNDS=1 as you like
	@$(STEP) "bench" tests/Benchmarks/bench.sh --rounds $(ROUNDS) $(SCENES)

bench-growth: apiserver build operator ## time, CPU and memory against 100 to 30 000 policies; draws docs/growth.svg (about 20 minutes)
	@$(STEP) "bench-growth" tests/Benchmarks/bench.sh --rounds $(ROUNDS) --output artifacts/growth.jsonl growth
	@tests/Benchmarks/plot.py artifacts/growth.jsonl >artifacts/growth.svg && mv artifacts/growth.svg docs/growth.svg

bench-scenes: apiserver build operator ## a slow vendor, the default rate, outages, all specs changed, failover, two installations, a selector (more than an hour)
	@$(STEP) "bench-scenes" tests/Benchmarks/bench.sh --rounds $(ROUNDS) --output artifacts/scenes.jsonl latency default-rate outage faults change one failover shards selector

bench-steady: apiserver build operator ## 10 000 buckets with nothing to do, for ten minutes, ours and the peer; SCENES=hour for an hour of ours
	@$(STEP) "bench-steady" tests/Benchmarks/bench.sh --output artifacts/steady.jsonl $(or $(SCENES),steady peer-steady)

bench-micro: build ## the hot paths one by one, with BenchmarkDotNet: time and bytes per operation (two minutes)
	@$(STEP) "bench-micro" tests/MicroBenchmarks/bin/Release/net10.0/micro-benchmarks

bench-commands: build operator ## the start of a command, and plan and export of 10 000 buckets (about 9 minutes, most of them the rate limit that export keeps)
	@python3 tests/Benchmarks/commands.py "$$(tests/tools/operator.sh)"

hot-paths: ## instructions and bytes of the hot paths, compiled ahead of time, against tests/Benchmarks/hot-paths.tsv (two minutes)
	@tests/tools/ensure.sh valgrind >/dev/null
	@$(STEP) "hot paths" tests/Benchmarks/hot_paths.py "$$(tests/Benchmarks/compile.sh)"

lint: ## formatting, analyzers, shell scripts, YAML, stray paths
	@tests/lint.sh

VENDOR ?= alibaba
demo: apiserver build operator ## the operator at work against a real API server and a simulated store; VENDOR=alibaba, huawei, jdcloud or s3
	@$(STEP) "demo, $(VENDOR)" tests/demo/demo.sh $(VENDOR)

render: ## chart's CRDs, its table of values, deploy/rbac.yaml and deploy/install.yaml from what they are made of
	@$(STEP) "render" deploy/render.sh

chart: apiserver build operator ## the chart with Helm 3 and 4: lint, templates, a release's life on the API server, and the operator with what it installs
	@tests/chart/chart.sh

sbom: ## the SBOM of the program (CycloneDX), in artifacts/release; compared with packages.lock.json
	@$(STEP) "sbom" release/sbom.sh

release-dry-run: operator ## what a release makes, in artifacts/release, but for what needs its registries and its signatures; ARM64=FILE adds that program
	@$(STEP) "release-dry-run" release/dry-run.sh "$$(tests/tools/operator.sh)" $(ARM64)

docs: apiserver build operator ## the documentation as a site, artifacts/site/dist: links, search, pages in a browser, the tutorial's commands (1 to 2 minutes)
	@$(STEP) "docs" tests/docs/docs.sh

observe: apiserver build operator ## the chart's alerts and dashboard on a real Prometheus, with the operator under faults (about 6 minutes)
	@$(STEP) "observe" tests/observe/observe.sh

telemetry-cost: apiserver build operator ## CPU and memory of a settled operator that is not asked, scraped, and sends OTLP too
	@$(STEP) "telemetry-cost" tests/observe/observe.sh cost

image: apiserver build operator ## the container image, built with docker or buildah, and what is in it started as a kubelet would
	@tests/image/image.sh

SCHEDULES ?= 20000
ownership-model: ## random schedules against a model of who may write a bucket, ten times as many as in make random; SEED= and SCHEDULES= as you like
	@$(STEP) "build" dotnet build tests/BucketEncryptionOperator.Tests -c Release --nologo -v quiet
	@BEO_SCHEDULES=$(SCHEDULES) dotnet test tests/BucketEncryptionOperator.Tests/bin/Release/net10.0/BucketEncryptionOperator.Tests.dll --nologo --filter FullyQualifiedName~OwnershipModelTests --logger "console;verbosity=detailed"

mutants: ## mutation testing of queue, reflector and election (about half an hour); fails below 85 %
	@$(STEP) "tools" dotnet tool restore
	@cd tests/KubeRuntime.Tests && BEO_TESTS=quick dotnet stryker --output $(CURDIR)/artifacts/mutants

clean: ## remove what was built here (the cache outside of the checkout stays)
	@rm -rf artifacts .run
	@find . -type d \( -name bin -o -name obj \) -not -path './.git/*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +
