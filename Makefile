# Everything runs in $(VENV), which is made on first use from the locks in requirements/.
# Choose a Python: make test PYTHON=python3.12 VENV=.venv-3.12
# Hand arguments on: make replay ARGS="--lang pt_BR", make test ARGS="-k ehlo"

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard simulator/locales/*/LC_MESSAGES/*.po))
DATA := simulator/data.json
BUILT := $(CATALOGUES) $(DATA)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help pictures replay lab survey test notebooks test-notebooks lint types layers format bench site serve check-site lighthouse site-offline slides handout workshop lan hub test-hub hub-cert test-hub hub-bench package messages lock doctor clean

help: ## show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

replay: $(VENV)/.core $(BUILT) ## play the documented session for real, every line annotated
	@$(BIN)/ehlo-twice replay $(ARGS)

lab: $(VENV)/.lab $(BUILT) ## open the lab: SMTP ports on loopback, and a page that explains who connects
	@$(BIN)/ehlo-twice lab $(ARGS)

survey: $(VENV)/.core $(BUILT) ## ask real servers and clients about the second EHLO (all of them as root)
	@$(BIN)/ehlo-twice survey $(ARGS)

test: $(VENV)/.dev $(BUILT) ## run the tests
	@$(BIN)/python -m pytest -q -n auto $(ARGS)

NOTEBOOK ?= en/00-start.ipynb
notebooks: $(VENV)/.notebooks $(BUILT) ## open the notebooks in JupyterLab (NOTEBOOK=pt-BR/00-start.ipynb)
	@$(BIN)/jupyter lab --config=workshop/jupyter_lab_config.py --ServerApp.root_dir=notebooks --LabApp.default_url=/lab/tree/$(NOTEBOOK) $(ARGS)

test-notebooks: $(VENV)/.notebooks $(BUILT) ## run every notebook from top to bottom, in both languages
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
	&& EHLO_TWICE_PROGRESS=$$folder/progress.json EHLO_TWICE_PREDICT=off $(BIN)/python -m pytest -q notebooks $(ARGS)

lint: $(VENV)/.dev ## check style and format
	@$(BIN)/ruff check --quiet --output-format concise . && $(BIN)/ruff format --check --quiet .

types: $(VENV)/.dev ## check types
	@$(BIN)/mypy --no-error-summary

layers: $(VENV)/.dev ## check that imports go down the floors only
	@$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## bring the sources into the house format
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: $(VENV)/.core $(BUILT) ## measure start, replay and drawing
	@$(BIN)/python -m benchmarks $(ARGS)

# Both languages at once. MkDocs would else print notices about its successors.
MKDOCS := NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/python -W ignore -m mkdocs -q
LANGUAGES = { $(MKDOCS) build --strict & english=$$!; \
	$(MKDOCS) build --strict -f mkdocs.pt-BR.yml && wait $$english; }

site: needs-node $(VENV)/.docs node_modules/.package-lock.json $(BUILT) ## build the site, both languages, into site/
	@$(BIN)/python -m tools.site && $(LANGUAGES) && $(BIN)/python -m tools.site --press

PORT ?= 8000
serve: needs-port-$(PORT) site ## build the site and serve it on http://127.0.0.1:8000/ (PORT=… for another port)
	@echo "http://127.0.0.1:$(PORT)/" && $(BIN)/python -m http.server --bind 127.0.0.1 --directory site $(PORT)

check-site: needs-chromium $(VENV)/.dev ## check the built site: links, accessibility, search, budget
	@$(BIN)/python -m pytest -q -n auto -m "" tests/site $(ARGS)

lighthouse: needs-node needs-chromium $(VENV)/.core build/lighthouse/node_modules/.package-lock.json ## measure the built site with Lighthouse (needs chromium)
	@$(BIN)/python -m tools.lighthouse $(ARGS)

site-offline: export OFFLINE := true
site-offline: export PAGES_EN := build/site-offline-pages/en
site-offline: export PAGES_PT_BR := build/site-offline-pages/pt-BR
site-offline: export SITE_EN := build/site-offline/en
site-offline: export SITE_PT_BR := build/site-offline/pt-BR
site-offline: needs-node $(VENV)/.docs node_modules/.package-lock.json $(BUILT) ## the site as a zip, to be opened from disk
	@$(BIN)/python -m tools.site --offline && $(LANGUAGES) && $(BIN)/python -m tools.site --zip

pictures: $(VENV)/.core $(BUILT) ## draw the pictures of the READMEs anew
	@$(BIN)/python tools/pictures.py

slides: needs-node needs-chromium $(VENV)/.docs node_modules/.package-lock.json $(BUILT) ## the workshop's slides, to show and to print
	@$(BIN)/python -m tools.workshop slides

handout: needs-node needs-chromium $(VENV)/.docs node_modules/.package-lock.json $(BUILT) ## sheets for the workshop: wall diagram, handout, cards, quiz
	@$(BIN)/python -m tools.workshop handout

workshop: needs-node needs-chromium site-offline ## everything for a class without network, as zips (FOR=linux-x86_64,3.12 for one)
	@$(BIN)/python -m tools.workshop kit $(if $(FOR),--for "$(FOR)")

lan: $(VENV)/.docs ## serve the kits in dist/ to the room, and say the address to type
	@$(BIN)/python -m tools.workshop lan $(ADDRESS)

# Settings: make hub EHLO_HUB_PORT=9000 …; the configuration lists them.
hub: needs-node needs-port-$(or $(EHLO_HUB_PORT),8000) $(VENV)/.hub $(BUILT) ## a JupyterHub for the class, on http://127.0.0.1:8000/
	@$(BIN)/python -m jupyterhub -f workshop/jupyterhub/jupyterhub_config.py

hub-cert: $(VENV)/.core ## a certificate for the hub: room.pem and room.key (EHLO_HUB_IP=192.0.2.10)
	@$(BIN)/python -m tools.workshop.certificate "$(EHLO_HUB_IP)"

test-hub: needs-node $(VENV)/.hub $(BUILT) ## start a hub and try its limits, ports and culling
	@$(BIN)/python -m pytest -q workshop/jupyterhub $(ARGS)

hub-bench: needs-node $(VENV)/.hub $(BUILT) ## measure thirty learners at once on a hub of their own
	@$(BIN)/python -m benchmarks.classroom $(ARGS)

# From a clean folder, as an index has it: the wheel is built from the source distribution.
package: $(VENV)/.core ## build what is released, into dist/
	@rm -rf build/package && mkdir -p build/package dist && rm -f dist/ehlo_twice-*
	@$(BIN)/python -m hatchling build -t sdist -d dist
	@tar -xzf dist/ehlo_twice-*.tar.gz -C build/package --strip-components 1
	@dist="$$PWD/dist" python="$$PWD/$(BIN)/python" && cd build/package && "$$python" -m hatchling build -t wheel -d "$$dist"

messages: $(VENV)/.core ## bring the catalogues up to date; NEW=fr starts one
	@$(BIN)/python tools/catalogues.py update $(NEW)
	@$(BIN)/python tools/catalogues.py compile

# All extras are resolved together first, so that the locks agree with one another. An extra that a
# package asks for stays written: pip before 23.3 would else take the newest release for it, and stop.
UV ?= uv
COMPILE = $(UV) --no-config --quiet pip compile --universal --python-version 3.11 \
	--generate-hashes --no-strip-extras --no-annotate --no-header --no-emit-index-url
LOCK = $(COMPILE) pyproject.toml --group build
lock: $(if $(filter uv,$(UV)),needs-uv) ## refresh every lock of Python packages (needs uv on the PATH)
	@all=$$(mktemp) && trap 'rm -f "$$all"' EXIT \
	&& $(LOCK) --upgrade --all-extras --output-file "$$all" >/dev/null \
	&& $(LOCK) --upgrade --constraints "$$all" --extra figures \
		--output-file requirements/core.txt >/dev/null \
	&& for extra in "dev --extra lab --extra fleet" docs lab notebooks; do \
		$(LOCK) --upgrade --constraints "$$all" --extra figures --extra $$extra \
			--output-file "requirements/$${extra%% *}.txt" >/dev/null || exit 1; \
	done
	@$(COMPILE) workshop/jupyterhub/requirements.in --upgrade \
		--constraints requirements/notebooks.txt \
		--output-file workshop/jupyterhub/requirements.txt >/dev/null

doctor: ## say what this machine has for all that, what it lacks, and how to get it
	@"$(or $(PYTHON),python3)" tools/doctor.py

# Asked before anything long is done.
needs-%:
	@"$(or $(PYTHON),python3)" tools/doctor.py '$*'

clean: ## remove what the commands above made
	rm -rf $(VENV) .venv-* build dist site node_modules .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find simulator -name '*.mo' -delete && rm -f $(DATA)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- setting up ---------------------------------------------------------------------------------

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)

# Its last file to appear: a half-made environment, or one without pip, is made anew.
$(BIN)/pip:
	@python="$(PYTHON)"; \
	"$${python:-false}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed$${python:+ ($$python is not)}." \
			"Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
		"$$python" tools/doctor.py python; exit 1; }; \
	echo "Setting up $(VENV) with $$("$$python" --version) (once)"; \
	"$$python" -m venv --clear $(VENV)

$(VENV)/.core: requirements/core.txt pyproject.toml tools/catalogues.py | $(BIN)/pip
	@echo "- what plays, explains and draws"
	@$(PIP) install --no-deps --require-hashes -r requirements/core.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.core
	@echo "- what checks and tests"
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.lab: requirements/lab.txt $(VENV)/.core
	@echo "- what the lab's page is served by"
	@$(PIP) install --no-deps --require-hashes -r requirements/lab.txt
	@touch $@

$(VENV)/.notebooks: requirements/notebooks.txt $(VENV)/.core
	@echo "- JupyterLab"
	@$(PIP) install --no-deps --require-hashes -r requirements/notebooks.txt
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(VENV)/.core
	@echo "- what builds the site"
	@$(PIP) install --no-deps --require-hashes -r requirements/docs.txt
	@touch $@

$(VENV)/.hub: workshop/jupyterhub/requirements.txt workshop/jupyterhub/package-lock.json $(VENV)/.notebooks
	@echo "- JupyterHub, and its proxy from npm"
	@$(PIP) install --no-deps --require-hashes -r workshop/jupyterhub/requirements.txt
	@mkdir -p build/hub && cp workshop/jupyterhub/package.json workshop/jupyterhub/package-lock.json build/hub/
	@cd build/hub && npm ci --silent
	@touch $@

node_modules/.package-lock.json: package-lock.json
	@echo "- fonts and slides, from npm"
	@npm ci --silent && touch $@

build/lighthouse/node_modules/.package-lock.json: tools/lighthouse/package.json tools/lighthouse/package-lock.json
	@echo "- Lighthouse, from npm"
	@mkdir -p build/lighthouse && cp $^ build/lighthouse/
	@cd build/lighthouse && npm ci --silent && touch node_modules/.package-lock.json

$(CATALOGUES): %.mo: %.po | $(VENV)/.core
	@$(BIN)/python tools/catalogues.py compile

$(DATA): tools/data.py simulator/needles.py $(wildcard simulator/*.toml simulator/*/*.toml simulator/*/*/*.toml) | $(VENV)/.core
	@$(BIN)/python tools/data.py
