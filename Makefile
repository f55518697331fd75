# SPDX-License-Identifier: GPL-2.0
# The developer's door; each target is one command. `make help` lists them.
.PHONY: help setup build debug test host-test prepush demo bench up down clean

help:      ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
setup:     ## install what is missing
	scripts/setup
build:     ## kernel, module, tools, node image
	scripts/build
deb:       ## Debian packages
	scripts/build-deb
debug:     ## the same with the debug kernel
	scripts/build --debug
test:      ## everything
	scripts/test
host-test: ## all but the cluster
	scripts/test --host-only
prepush:   ## what continuous integration runs
	.ci/run
demo:      ## the story on three nodes
	scripts/demo
bench:     ## the figures
	scripts/bench
up:        ## boot a cluster
	scripts/qemu-cluster/cluster up
down:      ## end it
	scripts/qemu-cluster/cluster down
clean:     ## remove what was built here (not the cache)
	rm -rf target
