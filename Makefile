# pitrkit: one static library, one executable per folder or file in cmd/.
#
#   make            build everything into build/
#   make deps       install what the build and the demo need (Debian)
#   make demo       the whole story on a throw-away PostgreSQL
#   make check      unit and end-to-end tests, linters, short fuzzing
#   make bench      measure, side by side with others (tests/bench/README)
#   make install    honours DESTDIR and PREFIX
#
# Variants: make BUILD=build/asan SAN=address,undefined
#           make BUILD=build/clang CC=clang

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= cc
OPT     ?= -O2 -g
SAN     ?=

PKGS    := libcrypto libcurl libzstd libxml-2.0 jansson libpq inih libxxhash
PKG_CONFIG ?= pkg-config

WARN    := -Wall -Wextra -Wconversion -Wshadow -Wpointer-arith \
	-Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Werror
ifeq ($(SAN),)
HARDEN  := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDLD  := -pie -Wl,-z,relro,-z,now
else
# gcc warns of more than there is when it instruments (its manual says so): the
# plain builds hold the warnings.
HARDEN  := -Wno-error -fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -fPIE
HARDLD  := -pie -fsanitize=$(SAN)
endif
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
# These are loaded when they are wanted (lib/util/dynlib.h), by the names that a
# linker would have noted. One program notes them, so that a package depends on
# them.
soname = $(or $(shell readelf -d "`$(CC) -print-file-name=$(1).so`" \
	2>/dev/null | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'),$(1).so.$(2))
XML_SONAME  := $(call soname,libxml2,2)
CURL_SONAME := $(call soname,libcurl,4)
LOADED := libxml-2.0 libcurl
LOADED_NEEDED := -Wl,--no-as-needed \
	$(shell $(PKG_CONFIG) --libs $(LOADED) 2>/dev/null) -Wl,--as-needed
CPPFLAGS_ALL = -D_GNU_SOURCE -DPITRKIT_VERSION='"$(VERSION)"' \
	-DXML_SONAME='"$(XML_SONAME)"' \
	-DCURL_SONAME='"$(CURL_SONAME)"' \
	$(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL  = -std=c11 $(OPT) $(WARN) $(HARDEN) -pthread -MMD -MP $(CFLAGS)
LDFLAGS_ALL = $(HARDLD) -pthread -Wl,--as-needed $(LDFLAGS)

# The layers. A module sees itself and the modules named here, nothing else:
# its include path holds no other folder, so a wrong include does not compile.
# A module may name only modules that stand above it in this list.
USES_front  :=
USES_util   :=
USES_secret := util
USES_codec  := util
USES_json   := util
USES_xml    := util
USES_crypto := util secret
USES_http   := util
USES_pg     := util
USES_conf   := util secret
USES_s3     := util secret crypto http xml
USES_store  := util secret http s3 conf
USES_object := util secret codec crypto
USES_retain := util pg
USES_repo   := util secret codec json crypto pg conf store object retain
USES_archive := util secret codec json crypto pg conf store object repo
USES_backup := util secret codec json crypto pg conf store object repo
USES_recovery := util secret codec crypto pg conf store object repo archive \
	backup
USES_spill  := util secret codec crypto pg conf store object repo archive
USES_audit  := util secret codec json crypto pg conf store object repo
USES_source := util secret codec crypto pg conf store object repo backup
USES_gather := util secret codec json crypto pg conf store object retain repo \
	archive backup
USES_verify := util secret codec json crypto pg conf store object retain repo \
	archive backup audit
USES_pgconn := util
USES_cli    := util secret json conf
USES_relay  := front util
USES_operation := util secret codec crypto pg conf store object repo audit \
	cli
MODULES := front util secret codec json xml crypto http pg conf s3 store \
	object retain repo archive backup recovery spill audit source gather \
	verify pgconn cli relay operation

LIB_SRC := $(foreach m,$(MODULES),$(wildcard lib/$(m)/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB     := $(BUILD)/libpitrkit.a
ALL_INC := $(foreach m,$(MODULES),-Ilib/$(m))

CMD_FILES := $(wildcard cmd/*.c)
CMD_DIRS  := $(patsubst %/,%,$(sort $(dir $(wildcard cmd/*/*.c))))
CMDS      := $(notdir $(CMD_FILES:.c=)) $(notdir $(CMD_DIRS))
BINS      := $(CMDS:%=$(BUILD)/%)

# make V=1 shows whole commands.
Q       := $(if $(V),,@)
say      = $(if $(V),,@echo "  $(1)")

all: $(BINS)

define module_rule
$(BUILD)/lib/$(1)/%.o: lib/$(1)/%.c
	@mkdir -p $$(@D)
	$$(call say,CC $$<)
	$$(Q)$$(CC) $$(CPPFLAGS_ALL) -Ilib/$(1) $$(USES_$(1):%=-Ilib/%) \
		$$(CFLAGS_ALL) -c -o $$@ $$<
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))

# The archive is made anew: an object whose source is gone must not stay in.
$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(call say,AR $@)
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/cmd/%.o: cmd/%.c
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(ALL_INC) $(CFLAGS_ALL) -c -o $@ $<

# The fronts, which PostgreSQL starts for every WAL file, link nothing but a C
# library, and that statically: it halves the time they take to start. musl,
# where it is installed, halves it again: glibc asks the processor some forty
# things at each start, and a virtual machine's processor is its host's to ask.
# MUSL= builds them with glibc. Objects of one are not linked with the other.
ifeq ($(origin MUSL),undefined)
# Through a shell: make alone would take build/clang for clang, where tests have
# build in their PATH.
MUSL := $(shell $(CC) -dumpmachine 2>/dev/null)
MUSL := $(firstword $(subst -, ,$(MUSL)))-linux-musl
MUSL := $(notdir $(patsubst %/rcrt1.o,%,$(firstword \
	$(wildcard /usr/lib/$(MUSL)*/rcrt1.o))))
endif
FRONTS  := walpush walfetch
FRONT_LD := $(if $(SAN),$(HARDLD),-static-pie -Wl,-z,relro,-z,now)
ifneq ($(if $(SAN),,$(MUSL)),)
FRONT_DIR := $(BUILD)/front-musl
FRONT_INC := -nostdinc -isystem /usr/include/$(MUSL) \
	-isystem $(shell $(CC) -print-file-name=include 2>/dev/null)
FRONT_LD  += -nostdlib -nostartfiles \
	$(addprefix /usr/lib/$(MUSL)/,rcrt1.o crti.o)
FRONT_LIB := -Wl,--start-group /usr/lib/$(MUSL)/libc.a -lgcc -Wl,--end-group \
	/usr/lib/$(MUSL)/crtn.o
else
FRONT_DIR := $(BUILD)/front
endif
$(FRONT_DIR)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) -D_GNU_SOURCE $(CPPFLAGS) $(FRONT_INC) -Ilib/front \
		$(CFLAGS_ALL) -c -o $@ $<
define front_rule
$(BUILD)/$(1): $$(patsubst %.c,$(FRONT_DIR)/%.o,\
		$$(wildcard lib/front/*.c cmd/$(1)/*.c))
	$$(call say,LD $$@)
	$$(Q)$$(CC) $$(FRONT_LD) $$(LDFLAGS) -o $$@ $$^ $$(FRONT_LIB)
endef
$(foreach c,$(FRONTS),$(eval $(call front_rule,$(c))))

define cmd_rule
$(BUILD)/$(1): $$(patsubst %.c,$(BUILD)/%.o,$$(wildcard cmd/$(1).c cmd/$(1)/*.c)) $(LIB)
	$$(call say,LD $$@)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$(filter %.o,$$^) $(LIB) $$(PKG_LIBS) \
		$$(if $$(filter pitr-restore,$(1)),$$(LOADED_NEEDED))
endef
$(foreach c,$(filter-out $(FRONTS),$(CMDS)),$(eval $(call cmd_rule,$(c))))

# Unit tests: one binary per file, cmocka with TAP output. Faults come in by
# --wrap: the functions to wrap stand in a file NAME.wrap beside the test.
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)
$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(ALL_INC) -Itests/unit $(CFLAGS_ALL) \
		$(LDFLAGS_ALL) -o $@ $< \
		$$(sed 's/^/-Wl,--wrap=/' tests/unit/$*.wrap 2>/dev/null) \
		$(LIB) -lcmocka $(PKG_LIBS)

# Tests of a library against a real server: a script in tests/e2e starts the
# server and calls them.
INTEGRATION_SRC := $(wildcard tests/integration/test_*.c)
INTEGRATION_BIN := $(INTEGRATION_SRC:%.c=$(BUILD)/%)
$(BUILD)/tests/integration/%: tests/integration/%.c $(LIB)
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(ALL_INC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ \
		$< $(LIB) -lcmocka $(PKG_LIBS)

# Programs that only tests run.
TOOL_SRC := $(wildcard tests/tools/*.c)
TOOL_BIN := $(TOOL_SRC:%.c=$(BUILD)/%)
$(BUILD)/tests/tools/%: tests/tools/%.c $(LIB)
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(ALL_INC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ \
		$< $(LIB) $(PKG_LIBS)

unit: $(UNIT_BIN) $(INTEGRATION_BIN) $(TOOL_BIN)

tools: $(TOOL_BIN)

# Fuzzers: clang's libFuzzer with ASan and UBSan over a library of their own.
FUZZ_BUILD := build/fuzz
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(FUZZ_BUILD)/%)
fuzz:
	$(MAKE) BUILD=$(FUZZ_BUILD) CC=clang SAN=address,undefined \
		CFLAGS=-fsanitize=fuzzer-no-link fuzz-binaries
fuzz-binaries: $(FUZZ_BIN)
$(FUZZ_BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(LIB)
	$(CC) $(CPPFLAGS_ALL) $(ALL_INC) $(CFLAGS_ALL) -fsanitize=fuzzer \
		$(LDFLAGS_ALL) -o $@ $< $(LIB) $(PKG_LIBS)

deps:
	@packaging/deps build
deps-test:
	@packaging/deps test

# The same tree built by the other compiler, by the sanitizers and with the
# fuzzers: the tests run these, too. JOBS: for a make that was given no -j.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
variants: variant-clang variant-asan fuzz
variant-clang:
	@$(MAKE) BUILD=build/clang CC=clang all unit
variant-asan:
	@$(MAKE) BUILD=build/asan SAN=address,undefined all unit
variant-tsan:
	@$(MAKE) BUILD=build/tsan SAN=thread unit

check:
	@$(MAKE) $(JOBS) all unit tools variants
	tests/run check

check-long:
	@$(MAKE) $(JOBS) all unit tools variants variant-tsan
	tests/run long

demo:
	@packaging/deps $(if $(filter s3,$(STORE)),s3,build)
	@echo "building"
	@$(MAKE) --no-print-directory all >/dev/null
	@examples/demo $(STORE)

# BENCH='--quick' and so on: see tests/bench/README.
bench:
	@packaging/deps bench
	@echo "building"
	@$(MAKE) --no-print-directory all tools >/dev/null
	@BUILD=$(BUILD) tests/bench/run $(BENCH)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(filter-out %-worker,$(BINS)) $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(PREFIX)/libexec/pitrkit
	install -m 755 $(filter %-worker,$(BINS)) \
		$(DESTDIR)$(PREFIX)/libexec/pitrkit
	for p in man/*.[1-8]; do \
		s=$${p##*.}; \
		install -d $(DESTDIR)$(PREFIX)/share/man/man$$s; \
		install -m 644 $$p $(DESTDIR)$(PREFIX)/share/man/man$$s; \
	done

deb:
	packaging/build-deb

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD)

.PHONY: all unit tools fuzz fuzz-binaries variants variant-clang \
	variant-asan variant-tsan deps deps-test check check-long demo \
	bench install deb format clean
.DELETE_ON_ERROR:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
